#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
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
/// somebody else has set meanwhile stays, until there is a new cause. Changes to slower and to faster have a least
/// distance each. What is held is looked at again every kLookAgain. New settings give everything back first.
///
/// Which causes an actuator follows: a power limit, locked clocks and a freeze those that work on the device can do
/// something about; a fan only heat. A full memory is none: slower work frees none of it.
/// Threads: one, and not the sampler's.
class Actuation {
 public:
  static constexpr std::chrono::seconds kLookAgain{10};

  /// `log` must outlive it.
  Actuation(std::shared_ptr<ActuatorFactory> factory, ChangeJournal journal, std::shared_ptr<const Clock> clock,
            std::string boot, Log& log);

  /// What an earlier process left changed is given back. To be called before act().
  void recover();

  /// Follows what the snapshot's governor advises.
  void act(const Snapshot& snapshot, const ActuatorSettings& settings);

  /// Gives everything back, at once.
  void give_all_back();

  std::vector<ActuatorReport> reports() const;

 private:
  struct Entry {
    std::unique_ptr<Actuator> actuator;
    std::optional<HeldChange> held;
    double multiplier = 1;  // that it is set for
    MonotonicTime changed_at{};
    MonotonicTime looked_at{};
    std::string effective;
    bool spent = false;   // nothing more is done until its cause has gone
    bool wanted = false;  // in this round
    std::string message;
    std::optional<MonotonicTime> retry_at;
    int failures = 0;  // in a row
  };

  void make_actuators(const DeviceSnapshot& device, const ActuatorSettings& settings);
  void drive(Entry& entry, double multiplier, const ActuatorSettings& settings, const std::string& reason);
  void change(Entry& entry, const std::string& found, const std::string& value, double multiplier,
              const std::string& reason);
  void look_again(Entry& entry);
  void give_back(Entry& entry, std::string_view why);
  void leave(Entry& entry, const std::string& now);
  void begin_anew();
  void strike_out(Entry& entry);
  void release(Entry& entry);
  void fail_once(Entry& entry, const Error& error);

  const std::shared_ptr<ActuatorFactory> factory_;
  ChangeJournal journal_;
  const std::shared_ptr<const Clock> clock_;
  const std::string boot_;
  Log& log_;
  std::map<ActuatorName, Entry> entries_;
  ActuatorSettings settings_;  // of the last round
};

/// What the governor's requests come to for this kind of actuator, 1 for none of them; and why.
struct Advice {
  double multiplier = 1;
  std::string reason;
};
Advice advice_for(ActuatorKind kind, const Throttling& throttling);

}  // namespace gpukeeper
