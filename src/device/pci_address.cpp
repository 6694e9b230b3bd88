#include "device/pci_address.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {

std::optional<PciAddress> PciAddress::parse(std::string_view text) {
  auto parts = split(trim(text), ':');
  if (parts.size() == 2) parts.insert(parts.begin(), "0");
  if (parts.size() != 3) return std::nullopt;
  const auto slot = split(parts[2], '.');
  if (slot.size() != 2) return std::nullopt;
  const auto domain = parse_u64(parts[0], 16);
  const auto bus = parse_u64(parts[1], 16);
  const auto device = parse_u64(slot[0], 16);
  const auto function = parse_u64(slot[1], 16);
  if (!domain || !bus || !device || !function) return std::nullopt;
  if (*domain > 0xffffffff || *bus > 0xff || *device > 0x1f || *function > 7) return std::nullopt;
  return PciAddress{static_cast<std::uint32_t>(*domain), static_cast<std::uint8_t>(*bus),
                    static_cast<std::uint8_t>(*device), static_cast<std::uint8_t>(*function)};
}

std::string PciAddress::to_string() const {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, bus, device, function);
}

}  // namespace gpukeeper
