#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/units.hpp"

namespace gpukeeper {

/// One level of a `pp_dpm_sclk`, `pp_dpm_mclk`, `pp_dpm_vclk`, … file: "1: 2605Mhz *".
struct DpmLevel {
  Megahertz clock{0};
  bool current = false;  ///< starred; several levels may be
};

/// The levels in the order of the text, which need not be that of the clocks. Deep sleep ("S: 500Mhz") is a level, too.
/// Empty for an empty file, as old chips have it; lines of another form are left out.
std::vector<DpmLevel> parse_dpm_levels(std::string_view text);

/// The fastest level; nothing when there is none, or all are 0, as where the driver does not know the clock.
std::optional<Megahertz> highest_clock(const std::vector<DpmLevel>& levels);

/// The fastest starred level; nothing when none is starred. A hint only: the star lags, and on some boards marks a
/// limit.
std::optional<Megahertz> starred_clock(const std::vector<DpmLevel>& levels);

/// One level of `pp_dpm_pcie`: "1: 16.0GT/s, x16 619Mhz *".
struct PcieLevel {
  std::optional<std::uint32_t> generation;
  std::uint32_t width = 0;
  bool current = false;
};

std::vector<PcieLevel> parse_pcie_levels(std::string_view text);

}  // namespace gpukeeper
