#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpukeeper {

/// The name of a graphics device that is younger than the pci.ids of current long-term distributions; nothing for any
/// other.
std::optional<std::string_view> newer_device(std::uint16_t vendor, std::uint16_t device);

}  // namespace gpukeeper
