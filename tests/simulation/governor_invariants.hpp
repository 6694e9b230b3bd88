#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/governor.hpp"

namespace gpukeeper::simulation {

/// What must hold of the governor at every step, whatever happens to the devices. It shares no code with the governor
/// but the table of states: it knows only what the documentation promises.
class GovernorInvariants {
 public:
  /// The snapshots in order, each with the events that were told of it and the settings and requests that held for it.
  /// Says what is wrong, a sentence each; nothing when all is well.
  std::vector<std::string> look(const Snapshot& snapshot, std::span<const GovernorEvent> events,
                                const GovernorSettings& settings, bool operator_asks);

  /// How often a device changed its state, so far.
  std::size_t changes() const { return changes_; }

 private:
  // What is remembered of one device.
  struct Past {
    bool here = false;
    bool lost = false;
    bool yielding = false;
    State state = State::unavailable;
    std::optional<MonotonicTime> changed;        // when its state last changed while nothing disturbed it
    std::optional<MonotonicTime> last_critical;  // when it was last seen so, undisturbed since
    std::optional<MonotonicTime> last_throttled;
    std::optional<MonotonicTime> speaks;  // since when its temperature is told
    std::optional<MonotonicTime> cool;    // since when nothing asks for less than full speed
  };

  void look_at(const DeviceSnapshot& device, std::span<const GovernorEvent> events, bool operator_asks);
  void check_advice(const DeviceSnapshot& device, const Past& past);
  void check_emergency(const DeviceSnapshot& device);
  void check_waits(const DeviceSnapshot& device, const Past& past);
  void check_pace(const DeviceSnapshot& device, const Past& past);
  void check_recovery(const DeviceSnapshot& device, Past& past, bool operator_asks);
  void check_events(const DeviceSnapshot& device, const Past& past, std::span<const GovernorEvent> events);
  bool is_cool(const DeviceSnapshot& device) const;
  void say(const DeviceSnapshot& device, std::string_view what);

  const GovernorSettings* settings_ = nullptr;  // of this step
  MonotonicTime now_{};
  std::chrono::nanoseconds longest_step_{0};  // from tick to tick, but for those that a sleep made long
  std::optional<GovernorSettings> settings_before_;
  bool settings_are_new_ = false;  // in this step
  std::map<DeviceId, Past> past_;
  std::vector<std::string> wrong_;
  std::size_t changes_ = 0;
};

}  // namespace gpukeeper::simulation
