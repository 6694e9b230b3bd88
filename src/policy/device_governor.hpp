#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/axis.hpp"
#include "policy/foreign_application.hpp"
#include "policy/governor_event.hpp"
#include "policy/governor_settings.hpp"
#include "policy/operator_request.hpp"

namespace gpukeeper {

/// What holds for all devices at one tick.
struct GovernorTick {
  const GovernorSettings& settings;
  std::uint64_t settings_version;  ///< grows with each change of the settings
  const IsOurs& is_ours;
  std::span<const OperatorRequest> requests;
  std::uint64_t requests_version;  ///< grows with each request that comes or goes
  const ProcessTable& who;
  bool sample;  ///< whether a sample is due; else only what cannot wait is looked at
  MonotonicTime now;
  WallTime wall;
  std::uint64_t sequence;
};

/// Governs one device: its state over time, what each cause asks for, what is told of it.
///
/// Every cause holds a request of its own, and the strictest decides, so that none of them can let go what another one
/// holds. Threads: one.
class DeviceGovernor {
 public:
  /// Judges the reading with the device's own thresholds, and fills in what follows from it and those before.
  void govern(DeviceSnapshot& device, const GovernorTick& tick, std::vector<GovernorEvent>& events);

 private:
  enum class Presence { here, asleep, lost };
  struct Known {  // all that events follow from
    Presence presence = Presence::here;
    State state = State::optimal;
    bool emergency = false;
    bool foreign = false;
  };

  static constexpr std::size_t kCauses = 7;

  void learn_thresholds(const DeviceSnapshot& device, const GovernorTick& tick);
  bool in_emergency(const Reading& reading, bool before, const GovernorSettings& settings) const;
  void sample(const DeviceSnapshot& device, const GovernorTick& tick);
  void sample_temperature(const Reading& reading, const GovernorSettings& settings, const LadderRules& rules,
                          MonotonicTime now);
  void forget();
  State governed_state() const;
  void renew(const GovernorTick& tick, const DeviceId& id);
  void ask_for_borders(const GovernorTick& tick);
  void ask_for_sustained(const GovernorTick& tick);
  void ask_for_operator(const GovernorTick& tick, const DeviceId& id);
  void ask(ThrottleRequest request, const GovernorTick& tick);
  void tell(const Known& before, const DeviceSnapshot& device, const GovernorTick& tick,
            std::vector<GovernorEvent>& events) const;

  std::optional<Known> known_;  // nothing before the first tick
  std::uint64_t settings_version_ = 0;
  std::uint64_t requests_version_ = 0;
  std::optional<Celsius> slowdown_;

  Axis<Celsius> temperature_;
  Axis<Percent> memory_;
  SustainedAxis load_;
  SustainedAxis power_;
  bool told_temperature_ = false;  // since it is here: then its silence is a fault
  std::string silent_;             // why it is so no more; empty while it speaks
  std::optional<std::string> foreign_;

  Throttling throttling_;
  std::optional<MonotonicTime> renew_at_;  // the next end of a request
  std::array<std::optional<WallTime>, kCauses> since_;
};

}  // namespace gpukeeper
