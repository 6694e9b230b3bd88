#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper {

/// Without leading and trailing blanks, tabs, line ends and NULs (some archivers pad sysfs files with NUL to 4096
/// bytes).
std::string_view trim(std::string_view text);

/// The pieces between separators, in order, empty pieces kept; one empty piece for an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines of a text without their line ends; no empty last line for a final newline.
std::vector<std::string_view> lines(std::string_view text);

/// The whole text as a number, blanks around it allowed; nothing for anything else ("N/A", "12 W", "", "nan",
/// overflow).
std::optional<std::uint64_t> parse_u64(std::string_view text, int base = 10);
std::optional<std::int64_t> parse_i64(std::string_view text);
std::optional<double> parse_double(std::string_view text);

/// The number that a text starts with, whatever follows it: 255 of "255.00 W"; nothing when it starts with none.
std::optional<double> leading_number(std::string_view text);

std::string to_lower(std::string_view text);

/// The text fit for a screen and for JSON: control characters become blanks, bytes that are no UTF-8 become '?'.
std::string printable(std::string_view text);

/// Where in a text a byte stands, for messages: "line 3, column 14". An offset past the end is the end.
std::string place_in(std::string_view text, std::size_t offset);

}  // namespace gpukeeper
