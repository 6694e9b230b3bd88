#include "actuators/actuation_thread.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "fake_actuators.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

class ActuationThreadTest : public testing::Test {
 protected:
  ActuationThreadTest() {
    driver_.values[limit_] = "1000";
    groups_.values[group_] = "1000";
  }

  ~ActuationThreadTest() override {
    driver_.hung = false;
    while (driver_.users > 0 || groups_.users > 0) std::this_thread::yield();
  }

  std::unique_ptr<ActuationThread> begin() {
    auto thread = std::make_unique<ActuationThread>(actuation(groups_, frozen_), actuation(driver_, changes_));
    ActuatorSettings settings;
    settings.power_limit = settings.freeze = true;
    settings.freeze_cgroups = {"/train"};
    thread->configure(settings, 1h);
    return thread;
  }
  void see(ActuationThread& thread, double multiplier) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->monotonic = clock_->now();
    auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
    if (multiplier < 1) d.throttling.requests.push_back({ThrottleCause::thermal, multiplier, "84 °C", {}, {}});
    snapshot->devices.push_back(std::move(d));
    thread.see(snapshot);
  }
  static void wait_until_held(const ActuationThread& thread, std::size_t count) {
    while (thread.reports().size() != count) std::this_thread::yield();
  }

  void wait_until_nothing_is_frozen() const {
    while (read_file(frozen_, 1 << 20) != "") std::this_thread::yield();
  }

  const ActuatorName limit_{ActuatorKind::power_limit, {"GPU-a"}, "nvml"};
  const ActuatorName group_{ActuatorKind::freeze, {"GPU-a"}, "/sys/fs/cgroup/train"};
  const TemporaryFolder folder_;
  const std::string frozen_ = (folder_.path() / "frozen").string();
  const std::string changes_ = (folder_.path() / "changes").string();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  Log log_{*clock_, std::make_shared<FakeLogTarget>()};
  FakeSettings groups_;  // each of one thread
  FakeSettings driver_;

 private:
  std::unique_ptr<Actuation> actuation(FakeSettings& world, const std::string& journal) {
    return std::make_unique<Actuation>(std::make_shared<FakeActuators>(world), ChangeJournal::open(journal).value(),
                                       clock_, "boot-1", log_);
  }
};

TEST_F(ActuationThreadTest, ItActsOnWhatItSeesAndGivesBackAtItsEnd) {
  const auto thread = begin();
  see(*thread, 0);
  wait_until_held(*thread, 2);
  EXPECT_EQ(thread->reports()[0].name, group_);
  EXPECT_EQ(thread->reports()[1].set, "0");
  EXPECT_EQ(thread->reports()[1].found, "1000");
  thread->ask_to_stop();
  EXPECT_TRUE(thread->wait(1min));
  EXPECT_EQ(driver_.values[limit_], "1000");
  EXPECT_EQ(groups_.values[group_], "1000");
}

TEST_F(ActuationThreadTest, ADriverThatHangsHoldsUpNobodyAndTheNextStartGivesBack) {
  auto thread = begin();
  see(*thread, 0.5);
  wait_until_held(*thread, 1);
  driver_.hung = true;
  thread->ask_to_stop();
  while (!driver_.hanging) std::this_thread::yield();
  EXPECT_FALSE(thread->wait(0s));
  thread.reset();  // lets it go
  EXPECT_EQ(ChangeJournal::open(changes_)->held().size(), 1U);
  driver_.hung = false;  // in truth it would hang for ever, and the program end
  while (driver_.users > 0) std::this_thread::yield();
  EXPECT_EQ(driver_.values[limit_], "1000");
}

TEST_F(ActuationThreadTest, WhatIsFrozenIsLetGoThoughADriverHangs) {
  const auto thread = begin();
  see(*thread, 0);
  wait_until_held(*thread, 2);
  driver_.hung = true;
  see(*thread, 0.5);
  wait_until_held(*thread, 1);
  EXPECT_EQ(thread->reports()[0].name, limit_);
  wait_until_nothing_is_frozen();

  see(*thread, 0);
  wait_until_held(*thread, 2);
  thread->ask_to_stop();
  while (groups_.users > 0) std::this_thread::yield();
  EXPECT_EQ(groups_.values[group_], "1000");
  EXPECT_FALSE(thread->wait(0s));
  driver_.hung = false;
  EXPECT_TRUE(thread->wait(1min));
}

TEST_F(ActuationThreadTest, WhatIsLeftFrozenIsLetGoThoughADriverHangsAtTheStart) {
  {
    const auto thread = begin();
    see(*thread, 0);
    wait_until_held(*thread, 2);
    driver_.giving = groups_.giving = Error{Errc::unavailable, "ended too soon"};
    thread->ask_to_stop();
    ASSERT_TRUE(thread->wait(1min));
  }
  driver_.giving.reset();
  groups_.giving.reset();
  driver_.hung = true;
  const auto thread = begin();
  wait_until_nothing_is_frozen();
  EXPECT_EQ(ChangeJournal::open(changes_)->held().size(), 1U);
  driver_.hung = false;
  thread->ask_to_stop();
  EXPECT_TRUE(thread->wait(1min));
}

// Whoever shows it snapshots may stand still, too.
TEST_F(ActuationThreadTest, MaxPauseEndsWithoutAnotherSnapshot) {
  const auto thread = begin();
  see(*thread, 0);
  wait_until_held(*thread, 2);
  clock_->advance(121s);
  wait_until_nothing_is_frozen();
  EXPECT_EQ(thread->reports().size(), 2U);
}

}  // namespace
}  // namespace gpukeeper
