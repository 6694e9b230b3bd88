#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/actuation.hpp"
#include "actuators/fake_actuators.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "dice.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::simulation {

/// The real actuation on settings that are made up, by a driver that refuses now and then and in a process that is
/// killed now and then; and what must hold of it: what was changed is known, lasts no longer than its cause, and is
/// given back, whatever happens.
class Hands {
 public:
  Hands(std::uint64_t seed, std::shared_ptr<const Clock> clock);

  /// Follows the snapshot. `quiet`: nothing goes wrong from now on. Says what is wrong; nothing when all is well.
  std::vector<std::string> act(const Snapshot& snapshot, bool quiet);

  /// The end of the process, at which everything is given back.
  std::vector<std::string> end();

  /// How often something was changed.
  std::size_t changes() const { return world_.changes.size(); }

 private:
  void begin();
  void meet(const DeviceSnapshot& device);
  void trouble(bool quiet);
  void check(const Snapshot& snapshot);
  void expect_found(std::string_view when);
  void say(const ActuatorName& name, std::string_view what);

  Dice dice_;
  const std::shared_ptr<const Clock> clock_;
  const TemporaryFolder folder_;
  Log log_;
  FakeSettings world_;
  const std::shared_ptr<FakeActuators> factory_ = std::make_shared<FakeActuators>(world_);
  ActuatorSettings settings_;
  std::unique_ptr<Actuation> actuation_;

  std::map<ActuatorName, std::string> found_;     // what stood there before anybody changed it
  std::map<ActuatorName, MonotonicTime> calm_;    // since when nothing asks for less and nothing fails
  std::map<ActuatorName, MonotonicTime> frozen_;  // since when it stands still
  std::optional<MonotonicTime> refuses_until_;    // the driver
  std::optional<MonotonicTime> refused_at_;       // for the last time
  std::vector<std::string> wrong_;
};

}  // namespace gpukeeper::simulation
