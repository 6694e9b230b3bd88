#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "device/process_facts.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {

/// Reads the stat of a process; the reason where it cannot be had.
using StatOf = std::function<Metric<ProcessStat>(std::int64_t pid)>;

/// The process from which a person started this one: of its forebears (and itself) the outermost that sits at a
/// terminal, other than the programs that only log people in. Where none has a terminal, the nearest desktop session or
/// session of sshd. None: no person's session started it, as far as its forebears tell; one that outlived its parent
/// has none left. Missing, with the reason, when the chain breaks off before such a process was met: a parent that may
/// not be looked at or has gone meanwhile. At most kMostForebears are followed; a chain beyond that is given up as
/// failed.
Metric<std::optional<InteractiveRoot>> interactive_root(const ProcessStat& process, const StatOf& stat_of);

/// Its parent, its parent's parent, …, as far as they can be told: the walk ends where one is gone, may not be looked
/// at, or is younger than its child, as its pid has been given to another one then.
std::vector<std::int64_t> forebears(const ProcessStat& process, const StatOf& stat_of);

inline constexpr std::size_t kMostForebears = 64;

}  // namespace gpukeeper
