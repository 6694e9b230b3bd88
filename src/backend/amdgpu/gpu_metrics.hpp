#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "device/throttle.hpp"

namespace gpukeeper {

/// How often something held the clocks down, counted by the firmware. Only differences mean something: an entry that
/// grew between two readings was in force meanwhile.
struct ThrottleCounters {
  std::optional<std::uint32_t> prochot;
  std::optional<std::uint32_t> power;
  std::optional<std::uint32_t> thermal;
  std::optional<std::uint32_t> regulator;
  std::optional<std::uint32_t> memory;

  /// The reasons whose counters grew since `before`.
  ThrottleReasons since(const ThrottleCounters& before) const;
  bool any() const { return prochot || power || thermal || regulator || memory; }
};

/// What amdgpu's binary `gpu_metrics` file tells, in our units. A field is absent when the version has no such field or
/// the firmware filled it with ones, which is its word for "not there".
struct GpuMetrics {
  std::uint8_t format = 0;  ///< 1: a GPU with memory of its own; 2 and 3: one inside a processor (APU)
  std::uint8_t content = 0;

  std::optional<Celsius> temperature_edge;
  std::optional<Celsius> temperature_hotspot;
  std::optional<Celsius> temperature_memory;
  std::optional<Celsius> temperature_graphics;  ///< of an APU's graphics part
  std::optional<Celsius> temperature_soc;
  std::optional<Celsius> temperature_skin;
  std::optional<Celsius> temperature_regulator_graphics;
  std::optional<Celsius> temperature_regulator_soc;
  std::optional<Celsius> temperature_regulator_memory;
  std::array<std::optional<Celsius>, 4> temperature_hbm;

  /// As it stands in the table: percent in format 1; in formats 2 and 3 percent or 1/100 percent, as the chip and its
  /// firmware please, so that small values cannot be told apart.
  std::optional<std::uint16_t> activity_graphics_raw;
  std::optional<std::uint16_t> activity_media_raw;
  /// The same where the unit is certain.
  std::optional<Percent> activity_graphics;
  std::optional<Percent> activity_memory;
  std::optional<Percent> activity_media;

  std::optional<Watts> power_socket;  ///< the board; of an APU the whole chip
  std::optional<Watts> power_cpu;
  std::optional<Watts> power_graphics;
  std::optional<Joules> energy;  ///< since the driver was loaded; only where the unit is documented

  std::optional<Megahertz> clock_graphics;
  std::optional<Megahertz> clock_soc;
  std::optional<Megahertz> clock_memory;
  std::optional<Megahertz> clock_video;
  std::optional<Megahertz> clock_graphics_average;
  std::optional<Megahertz> clock_memory_average;
  std::optional<Megahertz> clock_video_average;

  std::optional<Rpm> fan_speed;

  std::optional<std::uint32_t> throttle_status;  ///< bits of this very chip: only zero means something to all
  std::optional<std::uint64_t> independent_throttle_status;  ///< bits that are the same for all chips
  ThrottleCounters throttle_counters;

  std::optional<std::uint16_t> pcie_width;
  std::optional<std::uint16_t> pcie_speed;  ///< in 0.1 GT/s
  std::optional<std::uint64_t> pcie_replays;

  /// xGMI, link by link: kibibytes since the driver was loaded, and whether the link is up. Empty in most versions.
  struct XgmiLink {
    std::optional<std::uint64_t> read_kib;
    std::optional<std::uint64_t> written_kib;
    std::optional<bool> active;
  };
  std::vector<XgmiLink> xgmi;

  /// Partitions (XCP), as many as are in use: busy share averaged over the compute dies of each.
  struct Partition {
    std::optional<Percent> activity;
    std::optional<Percent> activity_media;
  };
  std::vector<Partition> partitions;

  /// Why the clocks are held down now: from the independent bits, else "none" when the chip's own bits are all zero;
  /// absent when the table does not tell in words that we understand.
  std::optional<ThrottleReasons> throttle_reasons() const;
};

/// Reads a table. Zero bytes after it are allowed (archivers pad to a page), anything else about it must be right.
/// Errors: not_supported for a version that is not known, invalid_argument for a table that is damaged (shorter than it
/// says, or than its version has to be). Nothing is ever guessed.
Result<GpuMetrics> parse_gpu_metrics(std::string_view bytes);

/// The kernel's chip-independent throttle bits in our words (SMU_THROTTLER_* in drivers/gpu/drm/amd/pm/swsmu/inc).
ThrottleReasons reasons_from_independent_bits(std::uint64_t bits);

}  // namespace gpukeeper
