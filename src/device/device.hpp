#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/metric.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

enum class Vendor { nvidia, amd, intel, other };

std::string_view to_string(Vendor vendor);

/// The vendor of a PCI vendor id such as 0x10de.
Vendor vendor_from_pci(std::uint32_t vendor_id);

/// A device's stable name: the vendor's UUID where there is one ("GPU-…", "MIG-…", amdgpu's unique_id as
/// "AMD-0123456789abcdef"), else its PCI address as "PCI-0000:03:00.0". The index is for people.
struct DeviceId {
  std::string text;
  friend auto operator<=>(const DeviceId&, const DeviceId&) = default;
};

/// A direct connection of one device to another.
struct Link {
  enum class Kind { nvlink, xgmi, pcie };
  Kind kind = Kind::pcie;
  std::string peer;         ///< PCI address of the other end, or what is known of it ("switch")
  std::uint32_t count = 1;  ///< parallel lanes of this kind to that peer
  friend bool operator==(const Link&, const Link&) = default;
};

std::string_view to_string(Link::Kind kind);

/// One physical GPU, or one partition of it (MIG instance, XCP): who it is and the facts that do not change while its
/// driver stays loaded. What changes is a Reading.
struct Device {
  DeviceId id;
  Vendor vendor = Vendor::other;
  std::string name;        ///< marketing name, or the best that is known: "NVIDIA H200", "Navi 48 [Radeon RX 9070]"
  std::string source;      ///< the backend that reads it: "nvml", "amdgpu", "simulated"
  bool simulated = false;  ///< made up by a scenario
  bool recorded = false;   ///< read from files that another machine left, or that stand still
  std::optional<PciAddress> pci;
  std::optional<DeviceId> parent;        ///< of a partition: the physical device
  std::optional<std::string> partition;  ///< of a partition: its profile and place, "1g.10gb (GPU instance 9)"

  using Text = Metric<std::string>;
  Text driver = missing(Missing::not_supported);           ///< kernel driver: "nvidia", "amdgpu", "xe"
  Text driver_version = missing(Missing::not_supported);   ///< "580.105.08"; for in-tree drivers the kernel's release
  Text library_version = missing(Missing::not_supported);  ///< "NVML 13.580.105.08"
  Text cuda_version = missing(Missing::not_supported);     ///< highest CUDA that the driver serves: "13.0"
  Text vbios_version = missing(Missing::not_supported);
  Text serial = missing(Missing::not_supported);
  Text board_part_number = missing(Missing::not_supported);
  Text architecture = missing(Missing::not_supported);        ///< "Hopper", "gfx90a"
  Text compute_capability = missing(Missing::not_supported);  ///< "9.0"
  Text pci_id = missing(Missing::not_supported);              ///< vendor:device, "10de:2330"
  Text pci_subsystem_id = missing(Missing::not_supported);    ///< "10de:16c1"
  Text cpu_affinity = missing(Missing::not_supported);        ///< CPUs near the device: "0-31,64-95"
  Metric<std::uint32_t> numa_node = missing(Missing::not_supported);
  Metric<std::uint32_t> minor_number = missing(Missing::not_supported);  ///< N of /dev/nvidiaN or of card N
  std::vector<Link> links;
};

}  // namespace gpukeeper

template <>
struct std::hash<gpukeeper::DeviceId> {
  std::size_t operator()(const gpukeeper::DeviceId& id) const noexcept { return std::hash<std::string>()(id.text); }
};
