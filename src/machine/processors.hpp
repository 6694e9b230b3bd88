#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/units.hpp"
#include "proc/host_load.hpp"

namespace gpukeeper {

/// The processors' time since boot (/proc/stat).
struct ProcessorTimes {
  std::optional<CpuTimes> all;
  std::map<std::size_t, CpuTimes> each;  ///< by number; one that is switched off is missing
};

ProcessorTimes parse_processor_times(std::string_view stat);

struct ProcessorFacts {
  std::optional<Percent> usage;                       ///< of all together, between the looks
  std::vector<std::optional<Percent>> each;           ///< of every thread in order
  std::optional<Megahertz> frequency;                 ///< the mean
  std::optional<Megahertz> frequency_max;             ///< of the fastest
  std::optional<Celsius> temperature;                 ///< of the hottest sensor in them
  std::optional<std::array<double, 3>> load_average;  ///< of 1, 5 and 15 minutes
  std::optional<std::size_t> cores;                   ///< where /proc/cpuinfo tells them from threads
  std::size_t threads = 0;
};

ProcessorFacts processor_facts(const Files& files, const ProcessorTimes& before, const ProcessorTimes& now);

/// "0.42 0.35 0.30 1/812 4711"
std::optional<std::array<double, 3>> parse_load_average(std::string_view text);

}  // namespace gpukeeper
