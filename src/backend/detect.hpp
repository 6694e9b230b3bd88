#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/backend.hpp"
#include "device/event.hpp"

namespace gpukeeper {

class Replay;

struct DetectOptions {
  bool wake = false;         ///< read sleeping devices too, which wakes them
  std::string machine_root;  ///< where this machine's /sys, /proc and /usr/share are; empty for the real ones
};

/// What a vendor needs and whether it is there; for the answer to "why do I see no GPU?".
struct Finding {
  std::string vendor;  ///< "NVIDIA", "AMD", "Intel"
  std::string looked;  ///< a sentence: what was looked for and what was found
  std::string remedy;  ///< what to install or grant; empty when nothing is to be done
};

/// The backends to read from, in order of precedence, and what `auto` looked at.
struct Sources {
  std::vector<std::shared_ptr<Backend>> backends;
  std::vector<std::shared_ptr<EventSource>> events;  ///< of the backends that report any, and of the machine's kernel
  std::vector<Finding> findings;
  /// The machine that the backends look at, or null where none of them looks at a living one: its /proc tells who the
  /// processes are.
  std::shared_ptr<const Files> machine;
  /// The recording that the backends play; null when there is none.
  std::shared_ptr<Replay> replay;
};

/// Opens what `--source` names, in order:
///   auto                   all that this machine has (the default)
///   nvml[:LIBRARY]         NVIDIA's library, or another file that serves its interface
///   nvidia-smi[:FILE.xml]  the output of `nvidia-smi -q -x`, live or from a file
///   rocm-smi[:FILE.json]   the output of `rocm-smi --json`, live or from a file
///   sysfs[:ROOT]           the kernel's files: amdgpu, intel and every other card; ROOT holds sys/ and maybe proc/
///   simulated:FILE         a scenario (docs/scenarios.md)
///   replay:FILE            a recording (docs/recording.md), which stands alone; its time is that of the clock from now
///   on
/// Errors: invalid_argument for a specification that is none of these; not_found or unavailable when a source that was
/// named cannot be opened. `auto` never fails: its findings say what is missing.
Result<Sources> open_sources(std::span<const std::string> specifications, std::shared_ptr<Clock> clock,
                             const DetectOptions& options = {});

}  // namespace gpukeeper
