#include "telemetry/leak_watch.hpp"

#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "fakes/past.hpp"

namespace gpukeeper {
namespace {

using Memory = std::function<double(int)>;  // MiB at a second

Snapshot with_process(int second, double mib, std::optional<std::uint64_t> start = {}, std::int64_t pid = 77) {
  auto d = Past::gpu(50);
  auto p = process(pid, "trainer", static_cast<std::uint64_t>(mib));
  if (start) {
    ProcessFacts facts;
    facts.start_ticks = *start;
    p = told(std::move(p), std::move(facts));
  }
  set_processes(d, {p});
  return Past::snapshot(second, {d});
}

LeakWatch watched(const Memory& mib, int seconds) {
  LeakWatch watch;
  for (int second = 0; second <= seconds; ++second) watch.look(with_process(second, mib(second)));
  return watch;
}

TEST(LeakWatchTest, MemoryThatGrowsAndGrowsIsSuspected) {
  const auto watch = watched([](int s) { return 1000 + s * 0.5; }, 700);
  ASSERT_EQ(watch.suspects().size(), 1u);
  const LeakSuspect& suspect = watch.suspects().front();
  EXPECT_EQ(suspect.device.text, "GPU-a");
  EXPECT_EQ(suspect.pid, 77);
  EXPECT_EQ(suspect.name, "trainer");
  EXPECT_EQ(suspect.now, from_mib(1350));
  EXPECT_NEAR(suspect.bytes_per_hour / (1 << 20), 1800, 40);
  ASSERT_TRUE(suspect.full_in);  // 40,000 of 80,000 MiB are free
  EXPECT_NEAR(std::chrono::duration<double>(*suspect.full_in).count() / 3600, 40'000 / 1800.0, 1);
}

TEST(LeakWatchTest, NothingIsSaidBeforeAWholeWindow) {
  EXPECT_TRUE(watched([](int s) { return 1000 + s * 0.5; }, 590).suspects().empty());
}

TEST(LeakWatchTest, GrowthThatIsNoLeakIsNotSuspected) {
  const std::pair<const char*, Memory> harmless[] = {
      {"it stays", [](int) { return 1000; }},
      {"a model is loaded", [](int s) { return s < 300 ? 1000 : 30'000; }},
      {"two models are loaded", [](int s) { return s < 150   ? 1000
                                                   : s < 450 ? 9000
                                                             : 17'000; }},
      {"a cache fills up to its size", [](int s) { return 1000 + std::min(s, 250) * 10.0; }},
      {"waves", [](int s) { return 1000 + (s % 120) * 10.0; }},
      {"it grows and is given back", [](int s) { return 1000 + (s % 350) * 5.0; }},
      {"a little", [](int s) { return 1000 + s * 0.05; }},
      {"it shrinks", [](int s) { return 9000 - s * 2.0; }},
  };
  for (const auto& [what, memory] : harmless) EXPECT_TRUE(watched(memory, 700).suspects().empty()) << what;
}

TEST(LeakWatchTest, WavesOnTopDoNotHideALeak) {
  EXPECT_EQ(watched([](int s) { return 1000 + s * 0.5 + (s / 10 % 3) * 400; }, 700).suspects().size(), 1u);
}

TEST(LeakWatchTest, ASuspicionEndsWithTheGrowth) {
  EXPECT_TRUE(watched([](int s) { return 1000 + std::min(s, 700) * 0.5; }, 1000).suspects().empty());
}

TEST(LeakWatchTest, APidThatWasGivenAgainIsAnotherProcess) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    watch.look(with_process(second, 1000 + second * 0.5, second < 350 ? 100u : 200u));
  }
  EXPECT_TRUE(watch.suspects().empty());
}

TEST(LeakWatchTest, WhoItIsMayBecomeKnownLater) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    watch.look(
        with_process(second, 1000 + second * 0.5, second < 5 ? std::nullopt : std::optional<std::uint64_t>(100)));
  }
  EXPECT_EQ(watch.suspects().size(), 1u);
}

TEST(LeakWatchTest, AProcessThatWentAwayBeginsAnew) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    watch.look(with_process(second, 1000 + second * 0.5, {}, second == 400 ? 78 : 77));
  }
  EXPECT_TRUE(watch.suspects().empty());
}

TEST(LeakWatchTest, ADeviceThatDoesNotAnswerForAMomentForgetsNothing) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    auto snapshot = with_process(second, 1000 + second * 0.5);
    if (second == 400) {
      snapshot.devices[0].available = false;
      set_processes(snapshot.devices[0], {});
    }
    watch.look(snapshot);
  }
  EXPECT_EQ(watch.suspects().size(), 1u);
}

TEST(LeakWatchTest, AListThatCannotBeReadForAMomentForgetsNothing) {
  LeakWatch watch;
  for (int second = 0; second <= 710; ++second) {
    auto snapshot = with_process(second, 1000 + second * 0.5);
    if (second == 400 || second == 710) {
      snapshot.devices[0].processes_reason = "the driver answered with an error";
      set_processes(snapshot.devices[0], {});
    }
    watch.look(snapshot);
  }
  EXPECT_EQ(watch.suspects().size(), 1u);
}

TEST(LeakWatchTest, ATimeThatIsTooFarAwayIsNotSaid) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    auto snapshot = with_process(second, 1000 + second * 0.5);
    snapshot.devices[0].reading.memory_total = Bytes(std::numeric_limits<std::uint64_t>::max());
    watch.look(snapshot);
  }
  ASSERT_EQ(watch.suspects().size(), 1u);
  EXPECT_EQ(watch.suspects().front().full_in, std::nullopt);
}

TEST(LeakWatchTest, ProcessesWithoutAKnownMemoryAreNoSuspects) {
  LeakWatch watch;
  for (int second = 0; second <= 700; ++second) {
    auto d = Past::gpu(50);
    GpuProcess p = process(77, "trainer", 0);
    p.memory = missing(Missing::not_permitted);
    set_processes(d, {p});
    watch.look(Past::snapshot(second, {d}));
  }
  EXPECT_TRUE(watch.suspects().empty());
}

}  // namespace
}  // namespace gpukeeper
