#include "service/state_log.hpp"

#include <fmt/format.h>

namespace gpukeeper::service {

namespace {

// "-" where it is not known.
template <class Unit>
std::string shown(const Metric<Unit>& metric, double unit = 1) {
  return metric ? fmt::format("{:.0f}", static_cast<double>(metric->value()) / unit) : "-";
}

}  // namespace

std::string name_of(const DeviceSnapshot& device) {
  return fmt::format("GPU {} ({}, {}{})", device.index, device.device->name, device.device->id.text,
                     device.device->simulated  ? ", simulated"
                     : device.device->recorded ? ", recorded"
                                               : "");
}

void StateLog::look(const Snapshot& snapshot) {
  if (snapshot.sequence == 0) return;
  for (const SourceStatus& source : snapshot.sources) look_at(source);
  for (const DeviceSnapshot& device : snapshot.devices) look_at(device);
  if (std::exchange(told_, snapshot.sequence) != snapshot.sequence) tell_metrics(snapshot);
}

void StateLog::tell_metrics(const Snapshot& snapshot) {
  std::string text;
  for (const DeviceSnapshot& device : snapshot.devices) {
    const Reading& r = device.reading;
    text += fmt::format("{}GPU {} {}, {} °C, {} % busy, {} of {} MiB, {} W", text.empty() ? "" : "; ", device.index,
                        to_string(device.throttling.state), shown(r.temperature), shown(r.utilization),
                        shown(r.memory_used, 0x1p20), shown(r.memory_total, 0x1p20), shown(r.power));
  }
  log_.debug("GPU metrics of tick {}: {}", snapshot.sequence, text.empty() ? "there is no GPU" : text);
}

void StateLog::look(const EngineTrouble& trouble) {
  if (trouble.count < trouble_.count) return;  // of an engine that has ended nothing is known
  if (trouble.count > trouble_.count) log_.error("gpukeeper itself fails: {}", trouble.last);
  if (trouble_.lasting && !trouble.lasting) log_.info("gpukeeper works again; {} steps have failed", trouble.count);
  trouble_ = trouble;
}

void StateLog::look_at(const DeviceSnapshot& device) {
  const auto [place, is_new] = devices_.try_emplace(device.device->id, device.available);
  const bool before = std::exchange(place->second, device.available);
  const bool asleep = device.reading.attention == Attention::asleep;
  if (!device.available && (is_new || before)) {
    if (asleep) {
      log_.info("{}: {}", name_of(device), device.reason);
    } else {
      log_.warning("{}: not available: {}", name_of(device), device.reason);
    }
  } else if (is_new) {
    log_.info("{}: found, {}", name_of(device), to_string(device.throttling.state));
  } else if (device.available && !before) {
    log_.info("{}: available again, {}", name_of(device), to_string(device.throttling.state));
  }
}

void StateLog::look_at(const SourceStatus& source) {
  const auto [place, is_new] = sources_.try_emplace(source.name, source.available);
  const bool before = std::exchange(place->second, source.available);
  if (!source.available && (is_new || before)) {
    log_.warning("source {}: not available: {}", source.name, source.message);
  } else if (source.available && is_new) {
    log_.info("source {}: {} devices", source.name, source.devices);
  } else if (source.available && !before) {
    log_.info("source {}: available again, {} devices", source.name, source.devices);
  }
}

}  // namespace gpukeeper::service
