#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper {

/// The arguments in the text of /proc/PID/cmdline, which ends each with a NUL. The views look into the text. Of a text
/// that is longer than kMostArgumentBytes the last argument that fits whole is the last one.
std::vector<std::string_view> arguments_of(std::string_view cmdline);

/// The same, of arguments that were joined by blanks.
std::vector<std::string_view> arguments_of_line(std::string_view line);

/// The arguments as a line for people, secrets masked, at most kMostLineBytes; "…" at its end when more was cut off.
std::string shown_command_line(const std::vector<std::string_view>& arguments);

inline constexpr std::size_t kMostArgumentBytes = 128 << 10;
inline constexpr std::size_t kMostLineBytes = 4096;

}  // namespace gpukeeper
