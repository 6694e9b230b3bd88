// What `rocm-smi --json` prints, and whatever people hand over as a recording of it.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "backend/rocm_smi/parse.hpp"
#include "device/metric_table.hpp"

using namespace gpukeeper;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto document = parse_rocm_smi(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!document) {
    if (document.error().message.empty()) std::abort();
    return 0;
  }
  put_in_order(*document, "rocm-smi");
  std::set<std::string> ids;
  for (const ToolGpu& gpu : document->gpus) {
    // Every accepted document gives devices that have a name, an id of their own, and numbers in their ranges.
    if (gpu.device.name.empty() || gpu.device.id.text.empty() || !ids.insert(gpu.device.id.text).second) std::abort();
    for (const MetricRow& row : metric_table()) {
      const auto number = to_number(row.value(gpu.device, gpu.reading));
      if (!number) continue;
      if (!std::isfinite(*number)) std::abort();
      if (row.unit == "percent" && (*number < 0 || *number > 100)) std::abort();
      if (row.unit != "celsius" && *number < 0) std::abort();
    }
    for (const Sensor& sensor : gpu.reading.sensors) {
      if (sensor.name.empty() || sensor.unit.empty() || !std::isfinite(sensor.value)) std::abort();
    }
    if (!gpu.processes) continue;
    std::int64_t last = 0;
    for (const GpuProcess& process : *gpu.processes) {
      if (process.pid <= last) std::abort();  // every pid once, in order
      last = process.pid;
    }
  }
  return 0;
}
