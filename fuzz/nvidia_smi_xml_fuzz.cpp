// What `nvidia-smi -q -x` prints, and whatever people hand over as a recording of it.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "backend/nvidia_smi/parse.hpp"
#include "device/metric_table.hpp"

using namespace gpukeeper;

namespace {

// Every accepted document gives devices that have a name, an id of their own, and numbers in their ranges.
void check(const Device& device, const Reading& reading, std::set<std::string>& ids) {
  if (device.name.empty() || device.id.text.empty() || !ids.insert(device.id.text).second) std::abort();
  for (const MetricRow& row : metric_table()) {
    const auto number = to_number(row.value(device, reading));
    if (!number) continue;
    if (!std::isfinite(*number)) std::abort();
    if (row.unit == "percent" && (*number < 0 || *number > 100)) std::abort();
    if (row.unit != "celsius" && *number < 0) std::abort();
  }
  if (reading.memory_used && reading.memory_total && *reading.memory_used > *reading.memory_total) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto document = parse_nvidia_smi(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!document) {
    if (document.error().message.empty()) std::abort();
    return 0;
  }
  put_in_order(*document, "nvidia-smi");
  std::set<std::string> ids;
  for (const ToolGpu& gpu : document->gpus) {
    check(gpu.device, gpu.reading, ids);
    for (const ToolPartition& partition : gpu.partitions) {
      check(partition.device, partition.reading, ids);
      if (partition.device.parent != gpu.device.id || !partition.device.partition) std::abort();
    }
    if (!gpu.processes) continue;
    std::int64_t last = 0;
    for (const GpuProcess& process : *gpu.processes) {
      if (process.pid <= last) std::abort();  // every pid once, in order
      last = process.pid;
      if (process.partition && !ids.contains(process.partition->text)) std::abort();
    }
  }
  return 0;
}
