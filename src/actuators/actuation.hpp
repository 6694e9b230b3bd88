#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "actuators/advice.hpp"
#include "actuators/change_journal.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Where actuators come from. An interface, so that tests bring their own.
class ActuatorFactory {
 public:
  virtual ~ActuatorFactory() = default;

  /// What the settings allow to be changed of this device now. May wait for a driver.
  virtual std::vector<std::unique_ptr<Actuator>> actuators(const DeviceSnapshot& device,
                                                           const ActuatorSettings& settings) = 0;

  /// The one of that name, whatever the settings allow; null when it is not there (any more).
  virtual std::unique_ptr<Actuator> find(const ActuatorName& name) = 0;
};

/// How one change stands, for people and programs. Values are spelled out: "350 W".
struct ActuatorReport {
  ActuatorName name;
  std::string found;
  std::string set;        ///< empty when nothing is held
  std::string effective;  ///< what the driver or kernel told last; empty when it did not. What is set may be rounded
  std::string reason;     ///< of the change, a sentence
  WallTime since{};
  std::string message;  ///< why it is not as it should be; empty when all is well
};

/// Does what the governor advises, as far as the settings allow it, and gives back what it took.
///
/// Every change is in the journal before it is made. What is held is given back when its cause has gone, when the
/// settings no longer allow it, at the end, and after a crash at the next start; but only while the value is ours: what
/// somebody else has set meanwhile stays, until there is a new cause. What cannot be given back is held until it can.
/// Changes to slower and to faster have a least distance each, except to a standstill, which waits for nothing. What is
/// held is looked at again every kLookAgain. New settings give back what was set by
/// others; what is frozen they let stand still, if they still allow it.
///
/// What is frozen belongs to every device that its processes use: it follows the strictest of them, stands still for
/// max_pause at most, and then runs until all of them are free.
/// Threads: one, and not the sampler's.
class Actuation {
 public:
  static constexpr std::chrono::seconds kLookAgain{10};

  /// `log` must outlive it.
  Actuation(std::shared_ptr<ActuatorFactory> factory, ChangeJournal journal, std::shared_ptr<const Clock> clock,
            std::string boot, Log& log);

  /// What an earlier process left changed is given back. To be called before act().
  void recover();

  /// Follows what the snapshot's governor advises; one that is older than `fresh_for` advises nothing, and everything
  /// is given back. To be called at least once a second, with the same one if there is none newer.
  void act(const Snapshot& snapshot, const ActuatorSettings& settings, std::chrono::nanoseconds fresh_for);

  /// Gives everything back, at once.
  void give_all_back();

  std::vector<ActuatorReport> reports() const;

 private:
  using Devices = std::map<DeviceId, const DeviceSnapshot*>;
  struct Entry {
    std::unique_ptr<Actuator> actuator;  // null: made when it is needed
    std::optional<HeldChange> held;
    std::set<DeviceId> asking;   // the devices it was made for in this round …
    std::set<DeviceId> devices;  // … and since it was taken
    double multiplier = 1;       // that it is set for
    MonotonicTime changed_at{};
    MonotonicTime looked_at{};
    std::string effective;
    std::string leaving;  // why it is being given back, until it is; else empty
    bool partly = false;  // what stands there is ours, though it may be neither what was found nor what was set
    std::string spent;    // why nothing more is done until its cause has gone; else empty
    std::string message;
    MonotonicTime failed_at{};
    int failures = 0;  // in a row
  };

  Entry& entry_of(const ActuatorName& name);
  void begin_anew();
  void make_actuators(const DeviceSnapshot& device);
  bool reach(const ActuatorName& name, Entry& entry);
  Advice advice(const ActuatorName& name, const Entry& entry, const Devices& devices) const;
  bool is_free(const ActuatorName& name, const Entry& entry, const Devices& devices) const;
  void drive(Entry& entry, const Advice& advice);
  void change(Entry& entry, const std::string& found, const std::string& value, const Advice& advice);
  void look_again(Entry& entry);
  bool undone(Entry& entry, const Error& failure);
  void give_back(Entry& entry, std::string why);
  void give_held_back(const std::string& why);
  void leave(Entry& entry, const std::string& now);
  void strike_out(Entry& entry);
  void release(Entry& entry);
  bool waits(const Entry& entry, bool urgent) const;
  bool note_failure(Entry& entry, const std::string& message);
  void fail_once(Entry& entry, const Error& error);

  const std::shared_ptr<ActuatorFactory> factory_;
  ChangeJournal journal_;
  const std::shared_ptr<const Clock> clock_;
  const std::string boot_;
  Log& log_;
  std::map<ActuatorName, Entry> entries_;
  ActuatorSettings settings_;  // of the last round
};

}  // namespace gpukeeper
