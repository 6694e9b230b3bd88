#include "backend/amdgpu/kfd_topology.hpp"

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "fakes/corpus.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

const std::string kNodes = "/sys/class/kfd/kfd/topology/nodes/";

TEST(KfdTopologyTest, GfxNamesAreDecimalPairsPrintedInHexadecimal) {
  EXPECT_EQ(gfx_name(90010), "gfx90a");
  EXPECT_EQ(gfx_name(90402), "gfx942");
  EXPECT_EQ(gfx_name(110003), "gfx1103");
  EXPECT_EQ(gfx_name(80003), "gfx803");
}

TEST(KfdTopologyTest, WithoutTheComputeDriverThereAreNoNodes) {
  MemoryFiles files;
  EXPECT_TRUE(read_kfd_nodes(files).empty());
  EXPECT_TRUE(read_kfd_processes(files, {1}).empty());
  EXPECT_EQ(kfd_generation(files), "");
}

TEST(KfdTopologyTest, ANodeTellsPlaceArchitectureMemoryAndNeighbours) {
  MemoryFiles files;
  files.write(kNodes + "0/properties", "cpu_cores_count 16\nsimd_count 0\n");
  files.write(kNodes + "1/gpu_id", "35218\n");
  files.write(kNodes + "1/properties",
              "cpu_cores_count 0\nsimd_count 416\nsimd_per_cu 4\ngfx_target_version 90010\nvendor_id 4098\n"
              "device_id 29711\nlocation_id 25345\ndomain 2\ndrm_render_minor 128\nhive_id 7\nunique_id 255\n");
  files.write(kNodes + "1/mem_banks/0/properties", "heap_type 1\nsize_in_bytes 1000\n");
  files.write(kNodes + "1/mem_banks/1/properties", "heap_type 0\nsize_in_bytes 5\n");
  files.write(kNodes + "1/io_links/0/properties", "type 2\nnode_to 0\n");
  files.write(kNodes + "1/io_links/1/properties", "type 11\nnode_to 4\n");
  const auto nodes = read_kfd_nodes(files);
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].number, 1u);
  EXPECT_EQ(nodes[0].gpu_id, 35218u);
  EXPECT_EQ(nodes[0].pci.to_string(), "0002:63:00.0");
  EXPECT_EQ(nodes[0].place, 1u);
  EXPECT_EQ(nodes[0].architecture, "gfx90a");
  EXPECT_EQ(nodes[0].compute_units, 104u);
  EXPECT_EQ(nodes[0].memory, Bytes(1000));
  EXPECT_EQ(nodes[0].unique_id, 255u);
  EXPECT_EQ(nodes[0].xgmi_peers, std::vector<std::uint32_t>{4});
}

TEST(KfdTopologyTest, ProcessesHaveMemoryOnTheirNodes) {
  MemoryFiles files;
  const std::string proc = "/sys/class/kfd/kfd/proc/";
  files.write(proc + "900/vram_11", "4096\n");
  files.write(proc + "900/stats_11/cu_occupancy", "52\n");
  files.write(proc + "900/vram_12", "0\n");
  files.write(proc + "1000/vram_11", "8192\n");
  files.write(proc + "1000/vram_12", "100\n");
  const auto processes = read_kfd_processes(files, {11, 12});
  ASSERT_EQ(processes.size(), 3u);
  EXPECT_EQ(processes[0].pid, 900);
  EXPECT_EQ(processes[0].memory, Bytes(4096));
  EXPECT_EQ(processes[0].compute_units, 52u);
  EXPECT_EQ(processes[1].pid, 1000);
  EXPECT_FALSE(processes[1].compute_units);
  EXPECT_EQ(processes[2].gpu_id, 12u);
}

TEST(KfdTopologyTest, RecordedMi210x8) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto nodes = read_kfd_nodes(RealFiles((*folder / "other/kfd/mi210-x8").string()));
  ASSERT_EQ(nodes.size(), 8u);
  std::set<std::uint32_t> numbers, minors;
  for (const KfdNode& node : nodes) {
    numbers.insert(node.number);
    minors.insert(node.render_minor);
    EXPECT_EQ(node.architecture, "gfx90a");
    EXPECT_EQ(node.compute_units, 104u);
    ASSERT_EQ(node.xgmi_peers.size(), 3u);
    for (const auto peer : node.xgmi_peers) {
      EXPECT_EQ(peer <= 5, node.number <= 5) << "a hive of four: 2 to 5, and 6 to 9";
      EXPECT_TRUE(peer >= 2 && peer <= 9 && peer != node.number);
    }
  }
  EXPECT_EQ(numbers, (std::set<std::uint32_t>{2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(minors, (std::set<std::uint32_t>{128, 129, 130, 131, 132, 133, 134, 135}));
}

TEST(KfdTopologyTest, RecordedMi300xInCpxModeIsOneGpu) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto nodes = read_kfd_nodes(RealFiles((*folder / "other/kfd/mi300x-cpx-one-gpu").string()));
  ASSERT_EQ(nodes.size(), 8u);
  for (std::uint32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(nodes[i].pci, nodes[0].pci);
    EXPECT_EQ(nodes[i].pci.bus, 5);
    EXPECT_EQ(nodes[i].place, i);
    EXPECT_EQ(nodes[i].unique_id, nodes[0].unique_id);
    EXPECT_EQ(nodes[i].compute_units, 38u);
    EXPECT_EQ(nodes[i].render_minor, 128 + i);
    EXPECT_EQ(nodes[i].architecture, "gfx942");
  }
}

}  // namespace
}  // namespace gpukeeper
