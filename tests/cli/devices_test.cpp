#include "cli/devices.hpp"

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

Device at(std::string pci, std::optional<std::uint32_t> numa = {}) {
  Device d = facts("GPU-" + pci, "A", pci);
  if (numa) d.numa_node = *numa;
  return d;
}

TEST(DevicesTest, TheMatrixExplainsItsLetters) {
  Device a = at("0000:01:00.0", 0);
  Device b = at("0000:02:00.0", 0);
  Device c = at("0000:81:00.0", 1);
  a.links = {{Link::Kind::nvlink, "0000:02:00.0", 4}};
  a.cpu_affinity = std::string("0-31");
  const Snapshot snapshot = machine({device(0, a, busy()), device(1, b, busy()), device(2, c, busy())});
  const std::string page = render_devices(snapshot, connections(snapshot, MemoryFiles()), {}, {.width = 80});
  const auto matrix = page.substr(page.find("How they are connected"));
  EXPECT_EQ(matrix,
            "How they are connected\n"
            "       GPU 0  GPU 1  GPU 2  NUMA  CPUS NEARBY\n"
            "GPU 0  X      NV4    SYS    0     0-31\n"
            "GPU 1  NV4    X      SYS    0     -\n"
            "GPU 2  SYS    SYS    X      1     -\n"
            "\n"
            "  NVn   NVLink, with the number of links\n"
            "  SYS   between NUMA nodes\n");
}

}  // namespace
}  // namespace gpukeeper::cli
