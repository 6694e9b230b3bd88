#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/units.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// One GPU node of the kernel's compute driver (KFD): a GPU, or one partition (XCP) of one.
struct KfdNode {
  std::uint32_t number = 0;  ///< the folder's name under topology/nodes
  std::uint64_t gpu_id = 0;  ///< what the files under kfd/proc call it; 0 when it could not be read
  PciAddress pci;            ///< with function 0: on a partitioned GPU the function counts the partitions
  std::uint32_t place = 0;   ///< the function: the partition's number on a partitioned GPU
  std::uint16_t vendor_id = 0;
  std::uint16_t device_id = 0;
  std::string architecture;     ///< "gfx90a"; empty when it is not told
  std::uint64_t unique_id = 0;  ///< the same on all partitions of a GPU; 0 where the GPU has none
  std::uint32_t compute_units = 0;
  std::uint32_t render_minor = 0;
  bool has_cpu_cores = false;             ///< an APU of the kind that the compute driver sees as one node
  Bytes memory{0};                        ///< 0 when it is not told
  std::vector<std::uint32_t> xgmi_peers;  ///< numbers of nodes, CPUs included
};

/// The GPU nodes, ordered by PCI address and place. Empty when there is no compute driver, and nodes that cannot be
/// read are left out (a container may see but some). Kept by the kernel: reading it wakes nothing.
std::vector<KfdNode> read_kfd_nodes(const Files& files);

/// The compute driver's count of changes of its topology; empty when there is none.
std::string kfd_generation(const Files& files);

/// What the compute driver knows of one process on one node.
struct KfdProcess {
  std::int64_t pid = 0;
  std::uint64_t gpu_id = 0;
  Bytes memory{0};
  std::optional<std::uint32_t> compute_units;  ///< in use now, where the chip tells
};

/// The processes on the nodes with these ids, ordered by pid. HIP queues do not show in DRM fdinfo before Linux 6.13 or
/// so; this is where they do. Empty when there is no compute driver.
std::vector<KfdProcess> read_kfd_processes(const Files& files, const std::vector<std::uint64_t>& gpu_ids);

/// "gfx90a" of 90010: major, minor and stepping, two decimal digits each, the last two printed in hexadecimal.
std::string gfx_name(std::uint64_t gfx_target_version);

}  // namespace gpukeeper
