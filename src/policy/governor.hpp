#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "policy/device_governor.hpp"
#include "policy/foreign_application.hpp"
#include "policy/governor_event.hpp"
#include "policy/governor_settings.hpp"
#include "policy/operator_request.hpp"

namespace gpukeeper {

/// Turns readings into states that do not flap, and says for each device how fast work may go, and why.
///
/// Threads: every member belongs to the sampler's thread; it does no input or output.
class Governor {
 public:
  /// `settings` must pass check(). Nothing is ours unless `is_ours` says so.
  explicit Governor(GovernorSettings settings = {}, IsOurs is_ours = nothing_is_ours);

  /// Fills DeviceSnapshot::throttling of every device, and judges DeviceSnapshot::state with the thresholds that are
  /// set for it. The snapshots in order.
  void govern(Snapshot& snapshot);

  /// What was told since it was asked last, in order: by tick, by device. To be delivered once the snapshot that was
  /// governed last is published.
  std::vector<GovernorEvent> take_events();

  /// Holds from the next snapshot on; no device loses its state. `settings` must pass check().
  void configure(GovernorSettings settings);
  const GovernorSettings& settings() const { return settings_; }

  /// In place of the request for the same device, or for all. Errors: invalid_argument for a multiplier that is none.
  Result<void> request(OperatorRequest request);
  /// Takes back the request for this device; for nothing: the one for all devices. Answers whether there was one.
  bool clear(const std::optional<DeviceId>& device);
  void clear_all();
  /// Those that hold.
  const std::vector<OperatorRequest>& requests() const { return requests_; }

  static bool nothing_is_ours(const DeviceSnapshot&, std::int64_t) { return false; }

 private:
  struct Entry {
    DeviceGovernor governor;
    std::uint64_t seen = 0;  // the tick at which the device was last in the snapshot
  };

  bool sample_is_due(MonotonicTime now);
  void end_requests(MonotonicTime now);
  void forget_unseen(std::uint64_t tick);

  GovernorSettings settings_;
  std::uint64_t settings_version_ = 1;
  const IsOurs is_ours_;
  std::vector<OperatorRequest> requests_;
  std::uint64_t requests_version_ = 1;
  std::optional<MonotonicTime> next_sample_;  // nothing before the first
  std::uint64_t ticks_ = 0;
  std::unordered_map<DeviceId, Entry> devices_;
  std::vector<GovernorEvent> events_;
};

}  // namespace gpukeeper
