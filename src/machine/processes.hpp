#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "attribution/process_reader.hpp"
#include "classify/classifier.hpp"
#include "core/files.hpp"
#include "core/units.hpp"
#include "device/process_facts.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {

using ProcessLook = std::map<std::int64_t, ProcessStat>;  ///< by pid

/// The processes in /proc, as it counts them; of more than 65,536 those with the first names. One that ends meanwhile
/// is left out.
ProcessLook look_at_processes(const Files& files);

/// One that stands out, and who it is.
struct BusyProcess {
  ProcessStat stat;
  std::optional<Percent> cpu;  ///< between the looks; 100 is one core
  Bytes resident{0};
  Percent memory{0};  ///< that, of all memory
  ProcessFacts facts;

  /// The documented line from which a process is intensive.
  bool is_intensive() const { return is_intensive(cpu, memory); }
  static bool is_intensive(const std::optional<Percent>& cpu, Percent memory) {
    return (cpu && *cpu > Percent(15)) || memory > Percent(10);
  }
};

struct ProcessesFacts {
  std::size_t count = 0;
  std::size_t intensive = 0;
  std::vector<BusyProcess> by_cpu;     ///< above 1 % of a core, the busiest first
  std::vector<BusyProcess> by_memory;  ///< above 1 % of all memory, the largest first

  static constexpr std::size_t kMost = 10;  ///< of either
};

/// What the processes did between two looks. A process without an earlier look has no share of the processors yet; one
/// whose pid another had then is another.
ProcessesFacts processes_facts(ProcessReader& reader, const Classifier& classifier, const ProcessLook& before,
                               const ProcessLook& now, std::chrono::nanoseconds between, Bytes memory,
                               MonotonicTime at);

}  // namespace gpukeeper
