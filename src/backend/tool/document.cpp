#include "backend/tool/document.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace gpukeeper {

void put_in_order(ToolDocument& document, std::string_view fallback) {
  std::stable_sort(document.gpus.begin(), document.gpus.end(), [](const ToolGpu& a, const ToolGpu& b) {
    if (!a.device.pci || !b.device.pci) return a.device.pci.has_value() && !b.device.pci;
    return *a.device.pci < *b.device.pci;
  });
  std::set<std::string> taken;
  std::size_t index = 0;
  for (ToolGpu& gpu : document.gpus) {
    DeviceId& id = gpu.device.id;
    const std::string before = id.text;
    if (id.text.empty() || taken.contains(id.text))
      id.text = gpu.device.pci ? "PCI-" + gpu.device.pci->to_string() : "";
    if (id.text.empty() || taken.contains(id.text)) id.text = fmt::format("{}-{}", fallback, index);
    while (!taken.insert(id.text).second) id.text += "'";
    ++index;

    std::size_t place = 0;
    std::set<std::string> moved;
    for (ToolPartition& partition : gpu.partitions) {
      partition.device.parent = id;
      const std::string old = partition.device.id.text;
      if (old.empty() || taken.contains(old)) partition.device.id.text = fmt::format("MIG-{}/{}", id.text, place);
      while (!taken.insert(partition.device.id.text).second) partition.device.id.text += "'";
      ++place;
      if (old == partition.device.id.text || !gpu.processes || !moved.insert(old).second) continue;
      for (GpuProcess& process : *gpu.processes) {
        if (process.partition && process.partition->text == old) process.partition = partition.device.id;
      }
    }
  }
}

}  // namespace gpukeeper
