#include "attribution/command_line.hpp"

#include <utility>

#include "attribution/secrets.hpp"
#include "core/text.hpp"

namespace gpukeeper {

std::vector<std::string_view> arguments_of(std::string_view cmdline) {
  if (cmdline.size() > kMostArgumentBytes) {
    // An argument that was cut is left out: half a secret may not look like one.
    const auto end = cmdline.rfind('\0', kMostArgumentBytes);
    cmdline = cmdline.substr(0, end == std::string_view::npos ? 0 : end);
  }
  // A program that renames itself leaves NULs behind the new name.
  while (!cmdline.empty() && cmdline.back() == '\0') cmdline.remove_suffix(1);
  if (cmdline.empty()) return {};
  return split(cmdline, '\0');
}

std::vector<std::string_view> arguments_of_line(std::string_view line) {
  std::vector<std::string_view> arguments;
  for (const auto piece : split(line, ' ')) {
    if (!piece.empty()) arguments.push_back(piece);
  }
  return arguments;
}

std::string shown_command_line(const std::vector<std::string_view>& arguments) {
  std::string line = masked_command_line(arguments);
  if (line.size() <= kMostLineBytes) return line;
  constexpr std::string_view kMore = "…";
  std::size_t end = kMostLineBytes - kMore.size();
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0u) == 0x80u) --end;  // not within a character
  line.resize(end);
  line += kMore;
  return line;
}

}  // namespace gpukeeper
