#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/render.hpp"
#include "core/clock.hpp"
#include "core/units.hpp"

// What a command used of its GPUs, as time(1) tells it of the processor: summed up from looks at them while it ran.
namespace gpukeeper::cli {

/// One look at the booked GPUs. What was not reported is absent.
struct RunLook {
  struct Gpu {
    std::string id;
    std::optional<std::uint64_t> index;
    std::optional<double> busy_percent;      ///< of the whole GPU
    std::optional<double> power_watts;       ///< of the whole board
    std::optional<double> energy_joules;     ///< a counter
    std::optional<double> capped_seconds;    ///< a counter: a power limit held the clocks down
    std::optional<double> too_hot_seconds;   ///< a counter: a temperature did
    std::optional<double> speed_multiplier;  ///< what the governor wants
  };
  MonotonicTime at{};
  std::optional<Bytes> memory;  ///< what the command and its descendants hold, on all of them
  std::vector<Gpu> gpus;
};

/// What came of all looks.
struct RunUse {
  struct Gpu {
    std::string id;
    std::optional<std::uint64_t> index;
    std::optional<double> busy_seconds;
    std::optional<double> energy_joules;
    bool energy_counted = false;  ///< by the device; else summed up from its power
    std::optional<double> capped_seconds;
    std::optional<double> too_hot_seconds;
  };
  std::vector<Gpu> gpus;
  std::optional<Bytes> peak;
  std::optional<Bytes> mean;          ///< over the looks at which it was known
  std::optional<double> gpu_seconds;  ///< busy, of all GPUs together
  std::size_t looks = 0;
};

class RunMeter {
 public:
  /// Looks in the order of time. `running`: the command has not ended yet; else only the counters are read.
  void add(const RunLook& look, bool running);
  RunUse use() const;

 private:
  std::optional<RunLook> first_;
  std::optional<RunLook> last_;
  std::vector<RunUse::Gpu> gpus_;  // in the order of the first look
  std::vector<double> watt_seconds_;
  std::vector<bool> power_known_;
  std::optional<Bytes> peak_;
  double memory_sum_ = 0;
  std::size_t memory_looks_ = 0;
  std::size_t looks_ = 0;
};

/// What is to be told of one run.
struct RunAccount {
  std::vector<std::string> command;
  std::vector<std::string> leases;
  std::string service;
  int status = 0;
  int signal = 0;
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds held{};  ///< it stood still for the governor
  bool governed = false;
  Bytes booked{0};             ///< of all GPUs together
  std::string memory_unknown;  ///< why nobody can say what it held; a phrase
  RunUse use;
};

/// A few lines for a person.
std::string render_run(const RunAccount& account, const RenderOptions& options);
/// gpukeeper.run/1, on one line.
std::string run_json(const RunAccount& account);

}  // namespace gpukeeper::cli
