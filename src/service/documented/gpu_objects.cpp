#include "service/documented/gpu_objects.hpp"

#include <algorithm>
#include <cmath>

#include "telemetry/overall.hpp"

namespace gpukeeper::service::documented {
namespace {

Json mebibytes_or_null(const Metric<Bytes>& size) {
  return size ? Json(mebibytes(*size)) : Json();
}

Json text(State state) {
  return to_string(state);
}

// What the configuration has is written as it stands there: 65, and 65.5.
Json configured(double value) {
  return std::floor(value) == value ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json of_limit(const Allocations& allocations, const Metric<Bytes>& size) {
  if (!size) return nullptr;
  return allocations.limit_is_set ? handed_out(*size) : Json(mebibytes(*size));
}

// `get_usage_stats`; empty where the ledger does not know the device.
Json usage_object(const AllocationsByDevice& allocations, const DeviceId& id) {
  const auto found = allocations.find(id.text);
  if (found == allocations.end()) return Json::object();
  const Allocations& of = found->second;
  Json by_id = Json::object();
  for (const auto& [name, size] : of.by_id) by_id[name] = handed_out(size);
  return {{"total_mb", mebibytes_or_null(of.total)},  {"limit_mb", of_limit(of, of.limit)},
          {"allocated_mb", handed_out(of.allocated)}, {"available_mb", still_available(of)},
          {"allocation_count", of.by_id.size()},      {"allocations", std::move(by_id)}};
}

Json thresholds_object(const GovernorThresholds& thresholds) {
  return {{"temp_optimal", configured(thresholds.temp_optimal.value())},
          {"temp_normal", configured(thresholds.temp_normal.value())},
          {"temp_throttle", configured(thresholds.temp_throttle.value())},
          {"temp_critical", configured(thresholds.temp_critical.value())}};
}

WallTime read_at(const Snapshot& snapshot, const DeviceSnapshot& device) {
  return device.read_at.value_or(snapshot.taken_at);
}

}  // namespace

const DeviceSnapshot* find_gpu(const Snapshot& snapshot, std::int64_t gpu_id) {
  const auto found = std::ranges::find(snapshot.devices, gpu_id,
                                       [](const DeviceSnapshot& device) { return std::int64_t{device.index}; });
  return found == snapshot.devices.end() ? nullptr : &*found;
}

Json status_object(const Snapshot& snapshot, std::int64_t gpu_id, const AllocationsByDevice& allocations) {
  if (snapshot.devices.empty()) {
    return {{"available", false}, {"state", text(State::unavailable)}, {"message", "GPU not available"}};
  }
  const DeviceSnapshot* const device = find_gpu(snapshot, gpu_id);
  if (!device || !device->available) {
    return {{"available", false}, {"state", text(State::unavailable)}, {"error", "Failed to get GPU metrics"}};
  }
  const Reading& reading = device->reading;
  const Throttling& throttling = device->throttling;
  Json status = {{"available", true},
                 {"gpu_id", device->index},
                 {"name", device->device->name},
                 {"state", text(device->state)},
                 {"load_percent", number_or_null(reading.utilization)},
                 {"temperature_celsius", number_or_null(guarding_temperature(reading))},
                 {"memory",
                  {{"used_mb", mebibytes_or_null(reading.memory_used)},
                   {"total_mb", mebibytes_or_null(reading.memory_total)},
                   {"percent", number_or_null(memory_percent(reading))},
                   {"allocation_stats", usage_object(allocations, device->device->id)}}},
                 {"thresholds", thresholds_object(throttling.thresholds)},
                 {"throttling",
                  {{"is_throttled", holds_itself_back(throttling)},
                   {"should_throttle", throttling.should_throttle()},
                   {"speed_multiplier", throttling.speed_multiplier}}},
                 {"timestamp", local_time(read_at(snapshot, *device))}};
  label(status, *device->device);
  return status;
}

Json metrics_object(const Snapshot& snapshot, const DeviceSnapshot& device) {
  const Reading& reading = device.reading;
  Json metrics = {{"timestamp", local_time(read_at(snapshot, device))},
                  {"gpu_id", device.index},
                  {"gpu_name", device.device->name},
                  {"load_percent", number_or_null(reading.utilization)},
                  {"memory_used_mb", mebibytes_or_null(reading.memory_used)},
                  {"memory_total_mb", mebibytes_or_null(reading.memory_total)},
                  {"memory_percent", number_or_null(memory_percent(reading))},
                  {"temperature_celsius", number_or_null(guarding_temperature(reading))},
                  {"state", text(device.state)}};
  label(metrics, *device.device);
  return metrics;
}

Json history_row(const HistorySample& sample) {
  return {{"timestamp", local_time(sample.wall)},
          {"gpu_id", sample.index},
          {"load_percent", sample.load_percent ? Json(*sample.load_percent) : Json()},
          {"memory_percent", sample.memory_percent ? Json(*sample.memory_percent) : Json()},
          {"temperature_celsius", sample.temperature_celsius ? Json(*sample.temperature_celsius) : Json()},
          {"state", text(sample.state)}};
}

Json trend_object(const Trend& trend, std::int64_t minutes) {
  return {{"duration_minutes", minutes},
          {"sample_count", trend.count},
          {"current_temp", trend.current},
          {"min_temp", trend.min},
          {"max_temp", trend.max},
          {"avg_temp", trend.avg},
          {"trend", to_string(trend.direction)},
          {"is_stable", trend.is_stable}};
}

Json throttle_object(const Snapshot& snapshot) {
  const double speed = overall_speed(snapshot);
  return {{"should_throttle", speed <= 0.5},
          {"speed_multiplier", speed},
          {"is_throttled",
           std::ranges::any_of(snapshot.devices,
                               [](const DeviceSnapshot& device) { return holds_itself_back(device.throttling); })},
          {"current_state", text(overall_governed_state(snapshot))}};
}

Json handed_out(Bytes size) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  if (size.value() % kMebibyte != 0) return mebibytes(size);
  return size.value() / kMebibyte;
}

Json still_available(const Allocations& allocations) {
  return of_limit(allocations, allocations.available);
}

}  // namespace gpukeeper::service::documented
