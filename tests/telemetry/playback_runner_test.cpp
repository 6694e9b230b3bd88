#include "telemetry/playback_runner.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

struct FunctionTask : Task {
  explicit FunctionTask(std::function<void()> f) : function(std::move(f)) {}
  void run() override { function(); }
  std::function<void()> function;
};

class PlaybackRunnerTest : public ::testing::Test {
 protected:
  std::shared_ptr<Task> task(std::function<void()> work) { return std::make_shared<FunctionTask>(std::move(work)); }
  std::shared_ptr<Task> hangs_until(MonotonicTime end) {
    return task([this, end] { clock->wait_while([&] { return clock->now() < end; }, {}); });
  }
  void run(std::vector<std::shared_ptr<Task>> tasks) { runner.run(tasks); }

  const std::shared_ptr<PlaybackClock> clock =
      std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt);
  PlaybackRunner runner{clock};
};

TEST_F(PlaybackRunnerTest, RunsEveryTask) {
  std::atomic<int> ran = 0;
  std::vector<std::shared_ptr<Task>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(task([&] { ++ran; }));
  run(tasks);
  EXPECT_EQ(ran, 100);
}

TEST_F(PlaybackRunnerTest, IsPatientWithATaskThatOnlyTakesItsTime) {
  std::atomic<bool> go = false;
  const auto slow = task([&] { go.wait(false); });  // without patience it would be given up at once
  std::thread later([&] {
    go = true;
    go.notify_all();
  });
  run({slow});
  EXPECT_TRUE(slow->done());
  later.join();
}

TEST_F(PlaybackRunnerTest, ATaskThatWaitsForTimeIsLeftBehindAndDelaysNoOther) {
  const auto end = clock->now() + 2s;
  const auto first = hangs_until(end);
  const auto second = hangs_until(end);
  const auto healthy = task([] {});
  run({first, second, healthy});
  EXPECT_FALSE(first->done());
  EXPECT_FALSE(second->done());
  EXPECT_TRUE(healthy->done());
}

// A second thread is there by then, and idle.
TEST_F(PlaybackRunnerTest, HangingAgainDelaysNoOtherEither) {
  for (int hang = 0; hang < 100; ++hang) {
    const auto healthy = task([] {});
    run({hangs_until(clock->now() + 1s), hangs_until(clock->now() + 1s), healthy});
    ASSERT_TRUE(healthy->done());
    clock->move_to(clock->now() + 1s);
    runner.settle();
  }
}

TEST_F(PlaybackRunnerTest, SettlingLetsThoseEndWhoseTimeHasCome) {
  const auto early = hangs_until(clock->now() + 1s);
  const auto late = hangs_until(clock->now() + 2s);
  run({early, late});
  clock->move_to(clock->now() + 1s);
  runner.settle();
  EXPECT_TRUE(early->done());
  EXPECT_FALSE(late->done());
  clock->move_to(clock->now() + 1s);
  runner.settle();
  EXPECT_TRUE(late->done());
}

TEST_F(PlaybackRunnerTest, AManyTicksLongHangChangesNothingForTheOthers) {
  run({hangs_until(clock->now() + 1h)});
  for (int tick = 0; tick < 1000; ++tick) {
    clock->move_to(clock->now() + 1s);
    runner.settle();
    const auto healthy = task([] {});
    run({healthy});
    ASSERT_TRUE(healthy->done());
  }
}

TEST_F(PlaybackRunnerTest, AtItsEndWhatHangsIsEnded) {
  std::atomic<bool> ended = false;
  const auto playback = std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt);
  {
    PlaybackRunner other(playback);
    const std::shared_ptr<Task> tasks[] = {task([&] {
      playback->wait_while([] { return true; }, {});
      ended = true;
    })};
    other.run(tasks);
    EXPECT_FALSE(ended);
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace gpukeeper
