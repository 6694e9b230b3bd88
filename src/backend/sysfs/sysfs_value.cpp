#include "backend/sysfs/sysfs_value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.hpp"

namespace gpukeeper {

std::optional<std::string> uevent_value(std::string_view uevent, std::string_view key) {
  for (const auto line : lines(uevent)) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=') continue;
    const auto value = trim(line.substr(key.size() + 1));
    if (value.empty()) return std::nullopt;
    return std::string(value);
  }
  return std::nullopt;
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_pci_id(std::string_view text) {
  const auto parts = split(trim(text), ':');
  if (parts.size() != 2) return std::nullopt;
  const auto vendor = parse_u64(parts[0], 16);
  const auto device = parse_u64(parts[1], 16);
  if (!vendor || !device || *vendor > 0xffff || *device > 0xffff) return std::nullopt;
  return std::pair(static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*device));
}

std::optional<std::uint32_t> parse_link_generation(std::string_view text) {
  const auto speed = leading_number(text);
  if (!speed) return std::nullopt;
  // GT/s of the generations 1 to 6, in tenths (PCI Express Base Specification).
  constexpr long kTenths[] = {25, 50, 80, 160, 320, 640};
  if (*speed > 1000) return std::nullopt;
  const auto tenths = std::lround(*speed * 10);
  const auto* const found = std::find(std::begin(kTenths), std::end(kTenths), tenths);
  if (found == std::end(kTenths)) return std::nullopt;
  return static_cast<std::uint32_t>(found - std::begin(kTenths) + 1);
}

std::optional<std::uint32_t> parse_link_width(std::string_view text) {
  const auto lanes = parse_u64(text);
  // 0 and 255 are what a link register of a device without a link, or of one that is off the bus, reads as.
  if (!lanes || *lanes == 0 || *lanes > 32) return std::nullopt;
  return static_cast<std::uint32_t>(*lanes);
}

std::optional<std::uint32_t> numbered(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto digits = name.substr(prefix.size());
  const bool all =
      !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto number = all ? parse_u64(digits) : std::nullopt;
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

Metric<std::int64_t> number_from(std::string_view text) {
  if (trim(text).empty()) return missing(Missing::not_supported);
  if (const auto number = parse_i64(text)) return *number;
  return missing(Missing::failed);
}

Metric<std::uint64_t> count_from(std::string_view text) {
  if (trim(text).empty()) return missing(Missing::not_supported);
  if (const auto number = parse_u64(text)) return *number;
  return missing(Missing::failed);
}

Metric<std::int64_t> read_number(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return missing(missing_from(text.error().code));
  return number_from(*text);
}

Metric<std::uint64_t> read_count(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return missing(missing_from(text.error().code));
  return count_from(*text);
}

Metric<std::string> read_text(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return missing(missing_from(text.error().code));
  const auto word = trim(*text);
  if (word.empty()) return missing(Missing::not_supported);
  return std::string(word);
}

}  // namespace gpukeeper
