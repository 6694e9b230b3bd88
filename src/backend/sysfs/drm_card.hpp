#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// One card of the kernel's graphics subsystem (`/sys/class/drm/cardN`): what is known of it without touching the
/// device. Everything here is kept by the kernel itself; reading it wakes nothing.
struct DrmCard {
  std::uint32_t minor = 0;    ///< N of cardN
  std::string folder;         ///< "/sys/class/drm/card1"
  std::string device_folder;  ///< "/sys/class/drm/card1/device"; what a PowerGate is asked about
  std::string driver;         ///< "amdgpu", "xe"; empty when none is told
  std::string compatible;     ///< of a platform device: its first device tree name, "brcm,bcm2711-vc5"
  std::optional<PciAddress> pci;
  std::uint16_t vendor_id = 0;  ///< 0 when it is no PCI device
  std::uint16_t device_id = 0;
  std::uint16_t subsystem_vendor = 0;  ///< 0 when it is not told
  std::uint16_t subsystem_device = 0;
  std::optional<std::uint32_t>
      class_code;  ///< 0x030000 is a VGA controller, 0x038000 a display controller without outputs
  std::optional<std::uint32_t> render_minor;  ///< N of /dev/dri/renderDN, where the card has one
  /// The PCI functions between the root and the device, outermost first, the device itself last: what the kernel's
  /// device path tells. Only the device where there is no such path, as in a recorded tree.
  std::vector<PciAddress> path;

  /// "PCI-0000:03:00.0", or "DRM-card1" for what sits on no PCI bus.
  DeviceId id() const;
};

/// The cards present, ordered by PCI address, those without one last, by number. Connectors ("card0-DP-1") and render
/// nodes are no cards. Empty when the kernel has no graphics subsystem.
/// Errors: unavailable when the folder is there but cannot be listed; the message says why.
Result<std::vector<DrmCard>> drm_cards(const Files& files);

}  // namespace gpukeeper
