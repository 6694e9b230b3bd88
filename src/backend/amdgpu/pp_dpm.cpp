#include "backend/amdgpu/pp_dpm.hpp"

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

struct Line {
  std::string_view value;  // between the index and the star
  bool starred;
};

// "1: 852Mhz *": the index is a number or S; everything else is no level.
std::optional<Line> parse_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto index = trim(line.substr(0, colon));
  if (index != "S" && !parse_u64(index)) return std::nullopt;
  auto value = trim(line.substr(colon + 1));
  const bool starred = value.ends_with('*');
  if (starred) value = trim(value.substr(0, value.size() - 1));
  return Line{value, starred};
}

template <class Keep>
std::optional<Megahertz> fastest(const std::vector<DpmLevel>& levels, const Keep& keep) {
  std::optional<Megahertz> most;
  for (const DpmLevel& level : levels) {
    if (keep(level) && (!most || *most < level.clock)) most = level.clock;
  }
  return most;
}

}  // namespace

std::vector<DpmLevel> parse_dpm_levels(std::string_view text) {
  std::vector<DpmLevel> levels;
  for (const auto raw : lines(text)) {
    const auto line = parse_line(raw);
    if (!line || !to_lower(line->value).ends_with("mhz")) continue;
    const auto clock = parse_u64(line->value.substr(0, line->value.size() - 3));
    if (!clock || *clock > 100'000) continue;
    levels.push_back({Megahertz(static_cast<double>(*clock)), line->starred});
  }
  return levels;
}

std::optional<Megahertz> highest_clock(const std::vector<DpmLevel>& levels) {
  return fastest(levels, [](const DpmLevel& level) { return level.clock > Megahertz(0); });
}

std::optional<Megahertz> starred_clock(const std::vector<DpmLevel>& levels) {
  return fastest(levels, [](const DpmLevel& level) { return level.current; });
}

std::vector<PcieLevel> parse_pcie_levels(std::string_view text) {
  std::vector<PcieLevel> levels;
  for (const auto raw : lines(text)) {
    const auto line = parse_line(raw);
    if (!line) continue;
    const auto comma = line->value.find(", x");
    if (comma == std::string_view::npos) continue;
    // Newer chips name the link's clock after the width: "x16 619Mhz".
    const auto width = parse_link_width(split(line->value.substr(comma + 3), ' ').front());
    if (width) levels.push_back({parse_link_generation(line->value), *width, line->starred});
  }
  return levels;
}

}  // namespace gpukeeper
