#include "actuators/actuation_thread.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "fake_actuators.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

class ActuationThreadTest : public testing::Test {
 protected:
  ActuationThreadTest() { world_.values[name_] = "1000"; }

  std::unique_ptr<ActuationThread> begin() {
    return std::make_unique<ActuationThread>(std::make_unique<Actuation>(
        std::make_shared<FakeActuators>(world_), ChangeJournal::open(path_).value(), clock_, "boot-1", log_));
  }
  void see_heat(ActuationThread& thread) {
    ActuatorSettings settings;
    settings.power_limit = true;
    thread.configure(settings);
    auto snapshot = std::make_shared<Snapshot>();
    auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
    d.throttling.requests.push_back({ThrottleCause::thermal, 0.5, "84 °C", {}, {}});
    snapshot->devices.push_back(std::move(d));
    thread.see(snapshot);
  }

  const ActuatorName name_{ActuatorKind::power_limit, {"GPU-a"}, "nvml"};
  const TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "changes").string();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  Log log_{*clock_, std::make_shared<FakeLogTarget>()};
  FakeSettings world_;
};

TEST_F(ActuationThreadTest, ItActsOnWhatItSeesAndGivesBackAtItsEnd) {
  const auto thread = begin();
  see_heat(*thread);
  while (thread->reports().empty()) std::this_thread::yield();
  EXPECT_EQ(thread->reports()[0].set, "500");
  EXPECT_EQ(thread->reports()[0].found, "1000");
  thread->ask_to_stop();
  EXPECT_TRUE(thread->wait(std::chrono::minutes(1)));
  EXPECT_EQ(world_.values[name_], "1000");
}

TEST_F(ActuationThreadTest, ADriverThatHangsHoldsUpNobodyAndTheNextStartGivesBack) {
  auto thread = begin();
  see_heat(*thread);
  while (thread->reports().empty()) std::this_thread::yield();
  world_.hung = true;
  thread->ask_to_stop();
  while (!world_.hanging) std::this_thread::yield();
  EXPECT_FALSE(thread->wait(std::chrono::seconds(0)));
  thread.reset();  // lets it go
  EXPECT_EQ(ChangeJournal::open(path_)->held().size(), 1U);
  world_.hung = false;  // in truth it would hang for ever, and the program end
  while (world_.users > 0) std::this_thread::yield();
  EXPECT_EQ(world_.values[name_], "1000");
}

}  // namespace
}  // namespace gpukeeper
