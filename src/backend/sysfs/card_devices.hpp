#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "backend/sysfs/device_names.hpp"
#include "backend/sysfs/drm_card.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// The devices that these cards are, in their order: PCI facts, and names by their ids. A card on no PCI bus is called
/// by its driver and its name in the device tree. Touches no device.
std::vector<Device> card_devices(const Files& files, DeviceNames& names, std::span<const DrmCard> cards,
                                 std::string_view source, bool recorded);

}  // namespace gpukeeper
