#include "actuators/actuation_thread.hpp"

#include <gtest/gtest.h>

#include "fake_actuators.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

TEST(ActuationThreadTest, ItActsOnWhatItSeesAndGivesBackAtItsEnd) {
  const ActuatorName name{ActuatorKind::power_limit, {"GPU-a"}, "nvml"};
  TemporaryFolder folder;
  const auto clock = std::make_shared<FakeClock>();
  Log log(*clock, std::make_shared<FakeLogTarget>());
  FakeSettings world;
  world.values[name] = "1000";
  FakeActuators factory(world);
  {
    ActuationThread thread(std::make_unique<Actuation>(
        factory, ChangeJournal::open((folder.path() / "changes").string()).value(), clock, "boot-1", log));
    ActuatorSettings settings;
    settings.power_limit = true;
    thread.configure(settings);
    auto snapshot = std::make_shared<Snapshot>();
    auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
    d.throttling.requests.push_back({ThrottleCause::thermal, 0.5, "84 °C", {}, {}});
    snapshot->devices.push_back(std::move(d));
    thread.see(snapshot);
    while (thread.reports().empty()) std::this_thread::yield();
    EXPECT_EQ(thread.reports()[0].set, "500");
    EXPECT_EQ(thread.reports()[0].found, "1000");
  }
  EXPECT_EQ(world.values[name], "1000");
}

}  // namespace
}  // namespace gpukeeper
