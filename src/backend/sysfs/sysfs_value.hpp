#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/files.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// The value of a key in a `uevent` text (lines of KEY=value); nothing when the key is not there or empty.
std::optional<std::string> uevent_value(std::string_view uevent, std::string_view key);

/// Vendor and device of "1002:7550", as in PCI_ID and PCI_SUBSYS_ID; nothing for anything else.
std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_pci_id(std::string_view text);

/// The PCIe generation of a link speed such as "16.0 GT/s PCIe" or the older "8 GT/s"; nothing for "Unknown" and for
/// speeds that no generation has.
std::optional<std::uint32_t> parse_link_generation(std::string_view text);

/// Lanes of a link; nothing for 0, which the kernel prints where there is no link, and for numbers that PCIe has not.
std::optional<std::uint32_t> parse_link_width(std::string_view text);

/// N of a name such as "card1" with the prefix "card"; nothing when anything but digits follows ("card1-DP-1").
std::optional<std::uint32_t> numbered(std::string_view name, std::string_view prefix);

/// A whole number out of a file of one number. Absent: not_supported for an empty file (amdgpu's power1_cap may be
/// one), failed for anything that is no number, else by the error of the access (missing_from).
Metric<std::int64_t> read_number(const Files& files, const std::string& path);

/// A number that is never negative, such as a counter; failed when it is.
Metric<std::uint64_t> read_count(const Files& files, const std::string& path);

/// A file's text without blanks around it; not_supported when that is empty.
Metric<std::string> read_text(const Files& files, const std::string& path);

/// The parsers under the two above, on a text at hand.
Metric<std::int64_t> number_from(std::string_view text);
Metric<std::uint64_t> count_from(std::string_view text);

}  // namespace gpukeeper
