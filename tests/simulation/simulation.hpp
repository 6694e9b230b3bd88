#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gpukeeper::simulation {

/// How a run ended.
struct Outcome {
  std::vector<std::string> wrong;  ///< what was violated, at the first step that violated anything; empty: all held
  std::uint64_t steps = 0;
  std::chrono::nanoseconds simulated{0};  ///< by the simulated clock
  std::size_t state_changes = 0;          ///< of all devices together: a run without any proves little
  std::size_t hand_changes = 0;           ///< of settings of devices, by the hands
  std::uint64_t digest = 0;               ///< of all advice given: the same seed gives the same
};

/// Hears of everything that happens, a line each; for a person who looks into one seed.
using Trace = std::function<void(const std::string&)>;

/// The governor and the alerts, fed with readings of devices that heat up under a load and obey its advice or do not,
/// fall silent, get lost, sleep; while settings, operators and other people's applications come and go.
Outcome run_policy(std::uint64_t seed, std::chrono::nanoseconds length, const Trace& trace = {});

/// The whole engine over a clock that is played, on a simulated machine with faults, while commands come in.
Outcome run_engine(std::uint64_t seed, std::chrono::nanoseconds length, const Trace& trace = {});

/// The book of GPU memory, on a machine whose processes keep to it or do not: they lie, fork, die, reuse pids, take
/// what nobody gave them. The book is killed and opened again, the machine boots and sleeps, clocks jump. State changes
/// are leases that were granted.
Outcome run_book(std::uint64_t seed, std::chrono::nanoseconds length, const Trace& trace = {});

/// The machine that run_engine simulates, as a scenario (docs/scenarios.md).
std::string scenario_of(std::uint64_t seed, std::chrono::nanoseconds length);

}  // namespace gpukeeper::simulation
