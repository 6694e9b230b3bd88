#include "attribution/cpu_share.hpp"

#include <limits>

#include <unistd.h>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

CpuSample at(std::chrono::nanoseconds when, std::chrono::nanoseconds used, bool fine = true) {
  return {MonotonicTime(when), used, fine};
}

TEST(CpuShareTest, NeedsTwoSamples) {
  CpuShare share;
  EXPECT_EQ(share.add(at(1s, 5s)).error(), Missing::not_yet_read);
  EXPECT_EQ(share.add(at(3s, 8s)), Percent(150));
  EXPECT_EQ(share.add(at(5s, 8s)), Percent(0));
}

TEST(CpuShareTest, SampleTooSoonChangesNothing) {
  CpuShare share;
  share.add(at(1s, 5s));
  EXPECT_EQ(share.add(at(1s + 9ms, 6s)).error(), Missing::not_yet_read);
  EXPECT_EQ(share.add(at(1s + 20ms, 5s + 10ms)), Percent(50));
  EXPECT_EQ(share.add(at(1s + 21ms, 6s)), Percent(50));
}

TEST(CpuShareTest, TicksNeedMoreTimeBetweenThem) {
  CpuShare share;
  share.add(at(1s, 5s, false));
  EXPECT_EQ(share.add(at(1s + 499ms, 5s + 250ms, false)).error(), Missing::not_yet_read);
  EXPECT_EQ(share.add(at(3s, 7s, false)), Percent(100));
}

TEST(CpuShareTest, ClockThatStepsBackOrChangesBeginsAnew) {
  CpuShare share;
  share.add(at(1s, 5s));
  EXPECT_EQ(share.add(at(2s, 6s)), Percent(100));
  EXPECT_EQ(share.add(at(3s, 1s)).error(), Missing::not_yet_read);
  EXPECT_EQ(share.add(at(4s, 2s)), Percent(100));
  EXPECT_EQ(share.add(at(6s, 3s, false)).error(), Missing::not_yet_read);
}

TEST(CpuShareTest, TheKernelsClockCountsThisProcess) {
  const KernelCpuClocks clocks;
  const auto used = clocks.used(::getpid());
  ASSERT_TRUE(used);
  EXPECT_GT(*used, 0ns);
  for (const std::int64_t nobody :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{4'194'304}, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_FALSE(clocks.used(nobody)) << nobody;
  }
}

}  // namespace
}  // namespace gpukeeper
