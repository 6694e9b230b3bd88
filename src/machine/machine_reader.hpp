#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "attribution/process_reader.hpp"
#include "classify/classifier.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "machine/disks.hpp"
#include "machine/kernel_calls.hpp"
#include "machine/memory.hpp"
#include "machine/network.hpp"
#include "machine/processes.hpp"
#include "machine/processors.hpp"

namespace gpukeeper {

/// How the computer is. What it does not tell is absent.
struct MachineFacts {
  WallTime taken_at{};
  ProcessorFacts processors;
  std::optional<MemoryFacts> memory;
  std::vector<DiskFacts> disks;
  NetworkFacts network;
  ProcessesFacts processes;
};

/// Looks at the computer when somebody asks. Rates are of the time since the look before; where that was too long ago
/// to say anything of now, or there was none, it looks twice.
///
/// Threads: one at a time. It may wait: a quarter of a second between two looks, and for disks.
class MachineReader {
 public:
  /// `clock`: that of the people who ask.
  MachineReader(std::shared_ptr<const Files> files, std::shared_ptr<const KernelCalls> calls,
                std::shared_ptr<Clock> clock, std::shared_ptr<const Classifier> classifier);

  /// Never null. Who asks again within kFresh gets the same.
  std::shared_ptr<const MachineFacts> facts();

  static constexpr std::chrono::seconds kFresh{1};
  static constexpr std::chrono::seconds kTooOld{10};            ///< for the look before
  static constexpr std::chrono::milliseconds kSecondLook{250};  ///< after the first; a tick of /proc is 10 ms

 private:
  struct Look {
    MonotonicTime at{};
    ProcessorTimes processors;
    DiskLook disks;
    NetworkLook network;
    ProcessLook processes;
  };
  Look look() const;
  std::shared_ptr<const MachineFacts> between(const Look& before, const Look& now);

  const std::shared_ptr<const Files> files_;
  const std::shared_ptr<const KernelCalls> calls_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<const Classifier> classifier_;
  ProcessReader reader_;
  std::optional<Look> before_;
  std::shared_ptr<const MachineFacts> facts_;  // as of before_
};

}  // namespace gpukeeper
