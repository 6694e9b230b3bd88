#include "service/documented/gpu_list.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::service::documented {
namespace {

constexpr Bytes kMuchMemory = 1000_MiB;

// The four classes of the documents, each with the flag that says the same.
struct Kind {
  std::string_view type;
  const char* flag;
};
constexpr Kind kMining{"mining", "is_suspected_miner"};
constexpr Kind kMl{"ml", "is_ml_training"};
constexpr Kind kVideo{"video", "is_video_processing"};
constexpr Kind kGaming{"gaming", "is_game"};
constexpr Kind kUnknown{"unknown", nullptr};
constexpr std::array kFlagged = {kMining, kMl, kVideo, kGaming};

// The documents know one kind of machine learning, whether it trains or answers.
Kind kind_of(const ProcessFacts* facts) {
  switch (facts ? facts->classification.kind : ProcessClass::unknown) {
    case ProcessClass::mining: return kMining;
    case ProcessClass::ml_training:
    case ProcessClass::ml_inference:
    case ProcessClass::ml: return kMl;
    case ProcessClass::video: return kVideo;
    case ProcessClass::gaming: return kGaming;
    case ProcessClass::desktop:
    case ProcessClass::unknown: break;
  }
  return kUnknown;
}

Json whole_mebibytes(const Metric<Bytes>& size) {
  return size ? Json(size->value() >> 20) : Json();
}

template <class Quantity>
Json whole_or_null(const Metric<Quantity>& metric) {
  return metric ? Json(std::llround(metric->value())) : Json();
}

Json text_or_null(const Metric<std::string>& text) {
  return text ? Json(*text) : Json();
}

std::string_view vendor(const Device& device) {
  return device.vendor == Vendor::other ? "unknown" : to_string(device.vendor);
}

std::string name_of(const GpuProcess& process) {
  return process.name.empty() ? "<unknown>" : process.name;
}

Json runtime(const ProcessFacts& facts, WallTime now) {
  if (!facts.started) return nullptr;
  return std::max(0.0, std::chrono::duration<double>(now - *facts.started).count());
}

// What both lists of processes say of one.
Json process_object(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process,
                    CommandLines command_lines) {
  static const ProcessFacts nothing;
  const ProcessFacts* const known = facts_of(snapshot, device, process);
  const ProcessFacts& facts = known ? *known : nothing;
  const Kind kind = kind_of(known);
  Json object = {{"pid", process.pid},
                 {"name", name_of(process)},
                 {"gpu_memory_mb", whole_mebibytes(process.memory)},
                 {"process_type", kind.type},
                 {"command_line", command_lines == CommandLines::shown ? text_or_null(facts.command_line) : Json()},
                 {"username", text_or_null(facts.user)},
                 {"cpu_percent", number_or_null(facts.cpu)},
                 {"memory_mb", whole_mebibytes(facts.resident)},
                 {"runtime_seconds", runtime(facts, snapshot.taken_at)},
                 {"executable_path", text_or_null(facts.executable)}};
  for (const Kind& each : kFlagged) object[each.flag] = each.type == kind.type;
  return object;
}

Json gpu_object(const Snapshot& snapshot, const DeviceSnapshot& device, CommandLines command_lines) {
  const Reading& reading = device.reading;
  Json processes = Json::array();
  for (const GpuProcess& process : *device.processes) {
    Json object = process_object(snapshot, device, process, command_lines);
    object["gpu_utilization"] = number_or_null(process.utilization);
    processes.push_back(std::move(object));
  }
  Json gpu = {{"gpu_id", device.index},
              {"name", device.device->name},
              {"vendor", vendor(*device.device)},
              {"utilization_percent", number_or_null(reading.utilization)},
              {"memory_used_mb", whole_mebibytes(reading.memory_used)},
              {"memory_total_mb", whole_mebibytes(reading.memory_total)},
              {"memory_percent", number_or_null(memory_percent(reading))},
              {"temperature_c", whole_or_null(guarding_temperature(reading))},
              {"fan_speed_percent", whole_or_null(reading.fan)},
              {"power_draw_watts", number_or_null(reading.power)},
              {"power_limit_watts", number_or_null(reading.power_limit)},
              {"processes", std::move(processes)},
              {"driver_version", text_or_null(device.device->driver_version)},
              {"timestamp", unix_time(device.read_at.value_or(snapshot.taken_at))}};
  label(gpu, *device.device);
  return gpu;
}

// The larger of two numbers, of which either may be null.
Json larger(const Json& a, const Json& b) {
  if (a.is_null() || b.is_null()) return a.is_null() ? b : a;
  return std::max(a, b);
}

// How often each class stands among the processes, and what a person should know of them.
class Insights {
 public:
  void add(const GpuProcess& process, Kind kind) {
    ++total_;
    ++*count_of(kind);
    if (kind.type == kMining.type) {
      warnings_.push_back(fmt::format("⚠️ Suspected cryptocurrency miner detected: {} (PID {})",
                                      harmless(name_of(process)), process.pid));
    }
    if (process.memory && *process.memory > kMuchMemory) {
      ++large_;
      warnings_.push_back(fmt::format("💾 High GPU memory usage: {} using {}MB", harmless(name_of(process)),
                                      process.memory->value() >> 20));
    }
  }

  std::string summary() const {
    if (total_ == 0) {
      return "No GPU processes detected. GPU fan running due to background driver activity or thermal management.";
    }
    std::vector<std::string> reasons;
    const auto say = [&](std::size_t count, std::string_view before, std::string_view what) {
      if (count > 0) reasons.push_back(fmt::format("{}{} {}", before, count, what));
    };
    say(games_, "", "game(s)");
    say(ml_, "", "ML training process(es)");
    say(video_, "", "video processing");
    say(miners_, "⚠️ ", "suspected miner(s)");
    say(unknown_, "", "unknown process(es)");
    return fmt::format("GPU fan running because of: {}", fmt::join(reasons, ", "));
  }

  Json object() const {
    return {{"total_processes", total_},
            {"suspected_miners", miners_},
            {"ml_training", ml_},
            {"video_processing", video_},
            {"games", games_},
            {"unknown", unknown_},
            {"high_memory_usage", large_},
            {"warnings", warnings_}};
  }

 private:
  std::size_t* count_of(Kind kind) {
    if (kind.type == kMining.type) return &miners_;
    if (kind.type == kMl.type) return &ml_;
    if (kind.type == kVideo.type) return &video_;
    return kind.type == kGaming.type ? &games_ : &unknown_;
  }

  std::size_t total_ = 0;
  std::size_t miners_ = 0;
  std::size_t ml_ = 0;
  std::size_t video_ = 0;
  std::size_t games_ = 0;
  std::size_t unknown_ = 0;
  std::size_t large_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace

Json gpu_summary(const Snapshot& snapshot) {
  if (std::ranges::none_of(snapshot.devices, &DeviceSnapshot::available)) {
    return {
        {"gpu_count", 0}, {"monitoring_available", false}, {"message", "No GPUs detected or monitoring unavailable"}};
  }
  Json gpus = Json::array();
  Json utilization;
  Json temperature;
  std::size_t processes = 0;
  for (const DeviceSnapshot& device : snapshot.devices) {
    const Reading& reading = device.reading;
    Json gpu = {{"id", device.index},
                {"name", device.device->name},
                {"vendor", vendor(*device.device)},
                {"utilization", number_or_null(reading.utilization)},
                {"memory_percent", number_or_null(memory_percent(reading))},
                {"temperature", whole_or_null(guarding_temperature(reading))},
                {"process_count", device.processes->size()}};
    label(gpu, *device.device);
    utilization = larger(utilization, gpu["utilization"]);
    temperature = larger(temperature, gpu["temperature"]);
    processes += device.processes->size();
    gpus.push_back(std::move(gpu));
  }
  return {{"gpu_count", snapshot.devices.size()}, {"monitoring_available", true},   {"total_processes", processes},
          {"max_utilization", utilization},       {"max_temperature", temperature}, {"gpus", std::move(gpus)}};
}

Json gpu_metrics(const Snapshot& snapshot, CommandLines command_lines) {
  Json gpus = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) gpus.push_back(gpu_object(snapshot, device, command_lines));
  const std::size_t count = gpus.size();
  return {{"gpus", std::move(gpus)}, {"timestamp", unix_time(snapshot.taken_at)}, {"count", count}};
}

Json gpu_processes(const Snapshot& snapshot, CommandLines command_lines) {
  Insights insights;
  Json processes = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const GpuProcess& process : *device.processes) {
      Json object = process_object(snapshot, device, process, command_lines);
      object["gpu_id"] = device.index;
      object["gpu_name"] = device.device->name;
      label(object, *device.device);
      insights.add(process, kind_of(facts_of(snapshot, device, process)));
      processes.push_back(std::move(object));
    }
  }
  return {{"summary", insights.summary()},
          {"processes", std::move(processes)},
          {"insights", insights.object()},
          {"timestamp", unix_time(snapshot.taken_at)}};
}

}  // namespace gpukeeper::service::documented
