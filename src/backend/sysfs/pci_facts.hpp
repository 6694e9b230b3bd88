#pragma once

#include <optional>
#include <string>

#include "backend/sysfs/drm_card.hpp"
#include "core/units.hpp"
#include "device/device.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// What a card's PCI function and the kernel tell about it without touching the device: address, ids, kernel driver and
/// its version, NUMA node, CPUs near it. Sets these fields of `device`, and its id; leaves the others alone.
void add_pci_facts(const Files& files, const DrmCard& card, Device& device);

/// A card's connection to the machine.
struct PcieLink {
  Metric<std::uint32_t> generation = missing(Missing::not_supported);
  Metric<std::uint32_t> generation_max = missing(Missing::not_supported);  ///< that device and slot share
  Metric<std::uint32_t> width = missing(Missing::not_supported);
  Metric<std::uint32_t> width_max = missing(Missing::not_supported);
  bool climbed = false;  ///< it was read above a PCIe switch on the card
};

/// The folder of the PCI function whose link is the card's link to its slot.
///
/// Intel's discrete GPUs and AMD's since Vega sit behind a PCIe switch on the card, and then the GPU's own link file
/// shows the connection inside the chip (Intel: always 2.5 GT/s x1). The switch's upstream port has the true one: two
/// functions up, of the same vendor, and itself below a port.
struct LinkPlace {
  std::string folder;       ///< "/sys/bus/pci/devices/0000:01:00.0", or the device's own folder
  std::string slot_folder;  ///< of the port it is plugged into; empty when the tree does not tell
  bool climbed = false;
};
LinkPlace find_link(const Files& files, const DrmCard& card);

/// Reads the link. Newer kernels read the device's registers for it and resume it first, so ask only while it is awake.
/// A link that is not there ("Unknown", width 0: a GPU inside the processor) is not_supported.
PcieLink read_link_state(const Files& files, const LinkPlace& place);

/// Puts a link into a reading.
void set_link(Reading& reading, const PcieLink& link);

}  // namespace gpukeeper
