#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actuators/actuation.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/result.hpp"

namespace gpukeeper::service {

/// Where the hands of a daemon are, and what they keep.
struct HandsPlace {
  std::string state;                 ///< the state directory, which the caller has claimed
  std::string machine_root;          ///< where the machine's /sys and /proc are
  std::vector<std::string> sources;  ///< as configured: one may name the library of NVML
};

/// What may be changed of the GPUs, each with a journal in the state directory of what is to be given back.
struct OpenedHands {
  std::unique_ptr<Actuation> freezing;  ///< apart from the other: it waits for no driver
  std::unique_ptr<Actuation> changing;
};

/// Errors: as for ChangeJournal::open. `log` must outlive the hands.
Result<OpenedHands> open_hands(const HandsPlace& place, const std::shared_ptr<const Clock>& clock, Log& log);

/// Gives back what a daemon left that ended without doing so, each in the log; a driver may be waited for.
/// The sentences of what could not be given back; empty when nothing is left.
/// Errors: unavailable while a daemon runs on that state directory, which does so itself; as for StateDirectory::claim
/// and open_hands.
Result<std::vector<std::string>> restore_hands(const HandsPlace& place, const std::shared_ptr<const Clock>& clock,
                                               Log& log);

}  // namespace gpukeeper::service
