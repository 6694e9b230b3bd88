#include "gpukeeper/gpu_metrics.hpp"

#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "format/json_text.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

std::optional<std::uint64_t> in_mib(const std::optional<std::uint64_t>& bytes) {
  return bytes ? std::optional(*bytes / kMiB) : std::nullopt;
}

// The members that are numbers, written and read by the same rows.
void numbers(auto& m, auto visit) {
  visit("utilization_percent", m.utilization_percent);
  visit("memory_used_bytes", m.memory_used_bytes);
  visit("memory_total_bytes", m.memory_total_bytes);
  visit("memory_utilization_percent", m.memory_utilization_percent);
  visit("temperature_celsius", m.temperature_celsius);
  visit("power_watts", m.power_watts);
  visit("power_limit_watts", m.power_limit_watts);
  visit("clock_mhz", m.clock_mhz);
  visit("memory_clock_mhz", m.memory_clock_mhz);
  visit("pcie_tx_kbps", m.pcie_tx_kbps);
  visit("pcie_rx_kbps", m.pcie_rx_kbps);
  visit("fan_speed_percent", m.fan_speed_percent);
}

void numbers_of_process(auto& process, auto visit) {
  visit("gpu_memory_mb", process.gpu_memory_mb);
  visit("cpu_percent", process.cpu_percent);
  visit("rss_mb", process.rss_mb);
}

template <class T>
Json number(const std::optional<T>& value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value && !std::isfinite(*value)) return {};
  }
  return or_null(value);
}

Json object(const GpuMetrics::Process& process) {
  Json document = {{"pid", process.pid}, {"exe_path", process.exe_path}};
  numbers_of_process(process, [&](const char* name, const auto& value) { document[name] = number(value); });
  return document;
}

Json object(const GpuMetrics& m) {
  Json document = {{"device_id", m.device_id}, {"name", m.name}};
  numbers(m, [&](const char* name, const auto& value) { document[name] = number(value); });
  document["memory_used_mb"] = or_null(m.memory_used_mb());
  document["memory_total_mb"] = or_null(m.memory_total_mb());
  document["processes"] = Json::array();
  for (const auto& process : m.processes) document["processes"].push_back(object(process));
  document["available"] = m.available;
  document["reason"] = text_or_null(m.reason);
  document["simulated"] = m.simulated;
  return document;
}

// Reads the members of one object; remembers the first that is wrong.
class Fields {
 public:
  Fields(const Json& object, std::string& mistake) : object_(object), mistake_(mistake) {}

  void read(const char* name, std::optional<double>& value) {
    const Json* found = find(name);
    if (found && !found->is_number()) return wrong(name, "a number");
    if (found) value = found->get<double>();
  }
  template <std::unsigned_integral T>
  void read(const char* name, std::optional<T>& value) {
    const Json* found = find(name);
    if (!found) return;
    if (!found->is_number_unsigned() || found->get<std::uint64_t>() > std::numeric_limits<T>::max()) {
      return wrong(name, fmt::format("a whole number from 0 to {}", std::numeric_limits<T>::max()));
    }
    value = found->get<T>();
  }
  void read(const char* name, std::string& value) {
    const Json* found = find(name);
    if (found && !found->is_string()) return wrong(name, "a text");
    if (found) value = found->get<std::string>();
  }
  void read(const char* name, bool& value) {
    const Json* found = find(name);
    if (found && !found->is_boolean()) return wrong(name, "true or false");
    if (found) value = found->get<bool>();
  }
  // Memory in bytes, or in the MiB of the other spelling.
  void read_memory(const char* in_mib, std::optional<std::uint64_t>& bytes) {
    std::optional<std::uint64_t> mib;
    read(in_mib, mib);
    if (bytes || !mib) return;
    if (*mib > std::numeric_limits<std::uint64_t>::max() / kMiB) return wrong(in_mib, "less than 2^44");
    bytes = *mib * kMiB;
  }
  const Json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  void wrong(const char* name, std::string_view what) {
    if (mistake_.empty()) mistake_ = fmt::format("'{}' must be {}", name, what);
  }

 private:
  const Json& object_;
  std::string& mistake_;
};

GpuMetrics::Process read_process(const Json& object, std::string& mistake) {
  GpuMetrics::Process process;
  Fields fields(object, mistake);
  std::optional<std::uint32_t> pid;
  fields.read("pid", pid);
  process.pid = pid.value_or(0);
  fields.read("exe_path", process.exe_path);
  numbers_of_process(process, [&](const char* name, auto& value) { fields.read(name, value); });
  return process;
}

GpuMetrics read_metrics(const Json& object, std::string& mistake) {
  GpuMetrics m;
  Fields fields(object, mistake);
  std::optional<std::uint32_t> id;
  fields.read("device_id", id);
  m.device_id = id.value_or(0);
  fields.read("name", m.name);
  numbers(m, [&](const char* name, auto& value) { fields.read(name, value); });
  fields.read_memory("memory_used_mb", m.memory_used_bytes);
  fields.read_memory("memory_total_mb", m.memory_total_bytes);
  fields.read("available", m.available);
  fields.read("reason", m.reason);
  fields.read("simulated", m.simulated);
  const Json* processes = fields.find("processes");
  if (!processes) return m;
  if (!processes->is_array()) {
    fields.wrong("processes", "an array");
    return m;
  }
  for (const Json& each : *processes) {
    if (each.is_object())
      m.processes.push_back(read_process(each, mistake));
    else
      fields.wrong("processes", "an array of objects");
  }
  return m;
}

}  // namespace

std::optional<std::uint64_t> GpuMetrics::memory_used_mb() const {
  return in_mib(memory_used_bytes);
}

std::optional<std::uint64_t> GpuMetrics::memory_total_mb() const {
  return in_mib(memory_total_bytes);
}

std::optional<double> GpuMetrics::memory_percent() const {
  if (!memory_used_bytes || !memory_total_bytes) return std::nullopt;
  if (*memory_total_bytes == 0) return 0;
  return static_cast<double>(*memory_used_bytes) / static_cast<double>(*memory_total_bytes) * 100;
}

std::optional<double> GpuMetrics::power_percent() const {
  if (!power_watts || !power_limit_watts) return std::nullopt;
  return *power_limit_watts > 0 ? *power_watts / *power_limit_watts * 100 : 0;
}

std::string to_json(const GpuMetrics& metrics) {
  return dump(object(metrics), false);
}

std::string to_json(const std::vector<GpuMetrics>& metrics) {
  Json document = Json::array();
  for (const GpuMetrics& each : metrics) document.push_back(object(each));
  return dump(document, false);
}

std::optional<GpuMetrics> read_gpu_metrics(std::string_view json, std::string* mistake) {
  std::string trouble;
  const Json document = Json::parse(json, nullptr, false);
  GpuMetrics result;
  if (document.is_object())
    result = read_metrics(document, trouble);
  else
    trouble = "the metrics of a GPU are a JSON object";
  if (trouble.empty()) return result;
  if (mistake) *mistake = std::move(trouble);
  return std::nullopt;
}

}  // namespace v0
}  // namespace gpukeeper
