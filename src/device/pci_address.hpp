#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper {

/// Where a function sits on the PCI buses: domain:bus:device.function. Orders as people count slots.
struct PciAddress {
  std::uint32_t domain = 0;  // above 16 bits behind Intel VMD and on Azure
  std::uint8_t bus = 0;
  std::uint8_t device = 0;
  std::uint8_t function = 0;

  friend constexpr auto operator<=>(const PciAddress&, const PciAddress&) = default;

  /// Reads "0000:01:00.0", NVML's "00000000:01:00.0" and the domainless "01:00.0"; nothing for anything else.
  static std::optional<PciAddress> parse(std::string_view text);

  /// The kernel's form, lower case: "0000:01:00.0".
  std::string to_string() const;
};

}  // namespace gpukeeper
