#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper::reclaim {

/// The steps, in their order.
enum class Stage : std::uint8_t {
  reap,       ///< leases of the dead and the expired
  ask,        ///< registered holders
  name,       ///< idle and unregistered holders are named, with a recommendation
  suspend,    ///< by cuda-checkpoint
  terminate,  ///< by policy
};
inline constexpr Stage kStages[] = {Stage::reap, Stage::ask, Stage::name, Stage::suspend, Stage::terminate};

std::string_view to_string(Stage stage);
/// The documented name of what a step does: "stale_reclaim", "cache_trim", "memory_cleanup"; empty of Stage::name.
std::string_view documented_type(Stage stage);

/// What was done to one holder, and what the driver said of it before and after. Nobody's word counts for `returned`.
struct Deed {
  LeaseId lease{};       ///< 0 for a process without one
  std::string service;   ///< empty for such a process
  std::int64_t pid = 0;  ///< 0 where no single process is meant
  std::string name;      ///< of the process: it may hold anything
  std::string device;
  std::string what;  ///< a phrase: "asked (ollama)", "reaped: its process is gone"
  std::optional<Bytes> promised;
  Metric<Bytes> before = missing(Missing::not_yet_read);
  Metric<Bytes> after = missing(Missing::not_yet_read);
  Bytes unbooked{0};  ///< of reap: what its books have back, whatever the driver says
  std::optional<bool> scrubbed;
  std::string note;     ///< a phrase; empty where there is nothing to say
  std::string problem;  ///< why it failed; empty when it did not
  std::chrono::nanoseconds took{};

  /// What came back: absent where the driver does not say what the holder has. Never below 0.
  Metric<Bytes> returned() const;
};

struct StepReport {
  Stage stage = Stage::reap;
  std::vector<Deed> deeds;
  std::string skipped;  ///< a sentence: why nothing was done; empty when something was

  Bytes returned() const;  ///< of all deeds of which it is known
};

/// Somebody who may be worth a look.
struct Advice {
  LeaseId lease{};  ///< 0 for a process without one
  std::string service;
  std::int64_t pid = 0;
  std::string name;  ///< it may hold anything
  std::string user;
  std::string device;
  Metric<Bytes> memory = missing(Missing::not_supported);
  std::optional<std::chrono::nanoseconds> idle;  ///< nothing where it is not known
  std::string recommendation;                    ///< a sentence
};

struct DeviceReport {
  std::string id;
  std::uint32_t index = 0;
  Metric<Bytes> total = missing(Missing::not_yet_read);
  Metric<Bytes> used_before = missing(Missing::not_yet_read);
  Metric<Bytes> used_after = missing(Missing::not_yet_read);
  Metric<Bytes> wanted = missing(Missing::not_yet_read);  ///< that was wanted back at the start; 0 for nothing
  Metric<Bytes> still_wanted = missing(Missing::not_yet_read);
};

/// What one run did.
struct ReclaimReport {
  std::uint64_t number = 0;
  std::string why;  ///< "asked for", "every 300 s"
  WallTime started{};
  std::chrono::nanoseconds took{};
  bool finished = false;
  std::vector<DeviceReport> devices;
  std::vector<StepReport> steps;  ///< those that were come to
  std::vector<Advice> advice;
  std::string problem;  ///< a sentence: why it ended before its time; empty when it did not

  Bytes returned() const;
};

}  // namespace gpukeeper::reclaim
