#include "service/documented/live_objects.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "service/documented/gpu_list.hpp"
#include "service/documented/machine_objects.hpp"

namespace gpukeeper::service::documented {
namespace {

constexpr double kHotGpu = 75;        // °C
constexpr double kVeryHotGpu = 85;    // °C
constexpr double kUrgentGpu = 80;     // °C
constexpr double kUrgentCpu = 80;     // °C
constexpr double kBusyGpu = 50;       // %
constexpr double kHighShare = 90;     // % of the processors, or of the memory
constexpr double kRaisedCpu = 70;     // %
constexpr double kRaisedMemory = 80;  // %
constexpr std::size_t kProcesses = 10;

double number_or_zero(const Json& value) {
  return value.is_number() ? value.get<double>() : 0;
}

// Of an object of `/api/gpu/metrics` what live updates have.
Json chosen(const Json& object, std::initializer_list<const char*> keys) {
  Json result = Json::object();
  for (const char* key : keys) {
    if (object.contains(key)) result[key] = object[key];
  }
  return result;
}

Json gpu_object(const Json& gpu) {
  Json result = chosen(gpu, {"gpu_id", "name", "vendor", "utilization_percent", "memory_percent", "temperature_c",
                             "fan_speed_percent", "power_draw_watts", "timestamp", "simulated", "recorded"});
  result["processes"] = Json::array();
  for (const Json& process : gpu["processes"]) {
    result["processes"].push_back(chosen(process, {"pid", "name", "gpu_memory_mb", "process_type", "is_suspected_miner",
                                                   "is_ml_training", "is_video_processing", "is_game"}));
  }
  return result;
}

bool any_available(const Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.devices, &DeviceSnapshot::available);
}

Json gpu_part(const Snapshot& snapshot) {
  if (!any_available(snapshot)) return {{"available", false}, {"gpus", Json::array()}};
  const Json metrics = gpu_metrics(snapshot, CommandLines::hidden);
  Json gpus = Json::array();
  for (const Json& gpu : metrics["gpus"]) gpus.push_back(gpu_object(gpu));
  return {{"available", true},
          {"summary", gpu_summary(snapshot)},
          {"gpus", std::move(gpus)},
          {"timestamp", unix_time(snapshot.taken_at)}};
}

Json system_part(const MachineFacts* facts) {
  if (!facts) return {{"available", false}, {"error", "nobody looks at the computer here"}};
  Json busiest = Json::array();
  const Json processors = cpu_answer(*facts, CommandLines::hidden);
  for (const Json& process : processors["top_processes"]) {
    if (busiest.size() < kProcesses) busiest.push_back(process);
  }
  return {{"available", true},
          {"summary", overview(*facts)},
          {"cpu", cpu_object(*facts)},
          {"memory", memory_object(*facts)},
          {"top_processes", std::move(busiest)},
          {"timestamp", unix_time(facts->taken_at)}};
}

Json system_summary(const MachineFacts* facts) {
  return facts ? overview(*facts)
               : Json{{"monitoring_available", false}, {"error", "nobody looks at the computer here"}};
}

struct Load {
  double cpu = 0;
  double cpu_temperature = 0;
  double memory = 0;
};

Load load_of(const MachineFacts* facts) {
  if (!facts) return {};
  const Json cpu = cpu_object(*facts);
  return {.cpu = number_or_zero(cpu.value("usage_percent", Json())),
          .cpu_temperature = number_or_zero(cpu.value("temperature_celsius", Json())),
          .memory = number_or_zero(memory_object(*facts).value("used_percent", Json()))};
}

Json gpu_temperature_alert(const Json& gpu) {
  const double temperature = number_or_zero(gpu["temperature_c"]);
  const bool critical = temperature > kVeryHotGpu;
  return {{"type", critical ? "critical" : "warning"},
          {"category", "gpu_temperature"},
          {"message", fmt::format("GPU {} temperature is {}: {} °C", gpu["gpu_id"].get<std::uint64_t>(),
                                  critical ? "critical" : "high", temperature)},
          {"gpu_id", gpu["gpu_id"]},
          {"value", gpu["temperature_c"]},
          {"threshold", critical ? kVeryHotGpu : kHotGpu}};
}

Json share_alert(std::string_view category, std::string_view what, double value) {
  return {{"type", "warning"},
          {"category", category},
          {"message", fmt::format("{} usage is high: {:.1f} %", what, value)},
          {"value", value},
          {"threshold", kHighShare}};
}

}  // namespace

std::chrono::seconds period_of(Urgency urgency) {
  switch (urgency) {
    case Urgency::critical: return std::chrono::seconds(1);
    case Urgency::important: return std::chrono::seconds(2);
    case Urgency::standard: break;
  }
  return std::chrono::seconds(5);
}

Urgency urgency_of(const Snapshot& snapshot, const MachineFacts* facts) {
  const Load load = load_of(facts);
  bool critical = load.cpu > kHighShare || load.cpu_temperature > kUrgentCpu;
  bool important = load.cpu > kRaisedCpu || load.memory > kRaisedMemory;
  const Json metrics = gpu_metrics(snapshot, CommandLines::hidden);
  for (const Json& gpu : metrics["gpus"]) {
    critical = critical || number_or_zero(gpu["temperature_c"]) > kUrgentGpu;
    important = important || number_or_zero(gpu["utilization_percent"]) > kBusyGpu || !gpu["processes"].empty();
    for (const Json& process : gpu["processes"]) critical = critical || process["is_suspected_miner"] == true;
  }
  return critical ? Urgency::critical : important ? Urgency::important : Urgency::standard;
}

Json initial_status(const Snapshot& snapshot, const MachineFacts* facts) {
  return {
      {"gpu", gpu_summary(snapshot)}, {"system", system_summary(facts)}, {"timestamp", unix_time(snapshot.taken_at)}};
}

Json metrics_update(const Snapshot& snapshot, const MachineFacts* facts, Urgency urgency, std::uint64_t count) {
  constexpr std::string_view kWords[] = {"standard", "important", "critical"};
  return {{"type", "metrics_update"},
          {"urgency", kWords[static_cast<std::size_t>(urgency)]},
          {"gpu", gpu_part(snapshot)},
          {"system", system_part(facts)},
          {"timestamp", unix_time(snapshot.taken_at)},
          {"update_count", count}};
}

Json live_alerts(const Snapshot& snapshot, const MachineFacts* facts) {
  Json alerts = Json::array();
  const Json metrics = gpu_metrics(snapshot, CommandLines::hidden);
  for (const Json& gpu : metrics["gpus"]) {
    if (number_or_zero(gpu["temperature_c"]) > kHotGpu) alerts.push_back(gpu_temperature_alert(gpu));
    for (const Json& process : gpu["processes"]) {
      if (process["is_suspected_miner"] != true) continue;
      alerts.push_back({{"type", "security"},
                        {"category", "suspected_miner"},
                        {"message", fmt::format("Suspected cryptocurrency miner detected: {}",
                                                harmless(process["name"].get<std::string>()))},
                        {"process", process["name"]},
                        {"gpu_id", gpu["gpu_id"]}});
    }
  }
  const Load load = load_of(facts);
  if (load.cpu > kHighShare) alerts.push_back(share_alert("cpu_usage", "CPU", load.cpu));
  if (load.memory > kHighShare) alerts.push_back(share_alert("memory_usage", "Memory", load.memory));
  return alerts;
}

Json alerts_object(Json alerts, WallTime at) {
  const std::size_t count = alerts.size();
  return {{"alerts", std::move(alerts)}, {"count", count}, {"timestamp", unix_time(at)}};
}

Json HighUsage::look(const Snapshot& snapshot) {
  Json alerts = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) {
    const auto& utilization = device.reading.utilization;
    if (!device.available || !utilization || *utilization <= border_) {
      episodes_.erase(device.device->id);
      continue;
    }
    Episode& episode = episodes_.try_emplace(device.device->id, Episode{snapshot.monotonic}).first->second;
    if (episode.told || snapshot.monotonic - episode.since < time_) continue;
    episode.told = true;
    Json alert = {{"type", "warning"},
                  {"category", "gpu_usage"},
                  {"message", fmt::format("GPU {} usage is high: {:.1f} %", device.index, utilization->value())},
                  {"gpu_id", device.index},
                  {"value", utilization->value()},
                  {"threshold", border_.value()}};
    label(alert, *device.device);
    episode.alert = alert;
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Json HighUsage::told() const {
  Json alerts = Json::array();
  for (const auto& [device, episode] : episodes_) {
    if (episode.told) alerts.push_back(episode.alert);
  }
  return alerts;
}

}  // namespace gpukeeper::service::documented
