#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// How two devices reach each other, nearest first. The PCIe kinds are those of `nvidia-smi topo -m`.
enum class Way {
  self,
  nvlink,       ///< NVLink, direct or through NVSwitch
  xgmi,         ///< AMD's Infinity Fabric
  one_switch,   ///< at most one PCIe switch between them (PIX)
  switches,     ///< several PCIe switches, no host bridge (PXB)
  host_bridge,  ///< the same PCIe host bridge (PHB)
  node,         ///< the same NUMA node (NODE)
  system,       ///< across NUMA nodes (SYS)
  unknown,
};

/// "nvlink", "same_numa_node": as it stands in JSON.
std::string_view to_string(Way way);

/// A sentence for people.
std::string_view describe(Way way);

struct Connection {
  Way way = Way::unknown;
  std::uint32_t links = 0;  ///< of NVLink and xGMI: how many links, 0 when not known
  friend bool operator==(const Connection&, const Connection&) = default;
};

/// "NV18", "XGMI", "PIX", "NODE", "?"
std::string short_text(const Connection& connection);

/// Square, in the order of the snapshot's devices.
using ConnectionTable = std::vector<std::vector<Connection>>;

/// From the devices' own links, else from where the kernel hangs them on the PCI tree (/sys/bus/pci/devices, links
/// only: nothing that would wake a device), else from their NUMA nodes. Simulated and recorded devices are not looked
/// for on this machine.
ConnectionTable connections(const Snapshot& snapshot, const Files& files);

}  // namespace gpukeeper
