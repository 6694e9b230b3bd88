#include "auth/request_rate.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

using namespace std::chrono_literals;

TEST(RequestRateTest, SoManyAtOnceAndEvenlyAgainAfterThat) {
  RequestRate rate;
  MonotonicTime now(1h);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(rate.take("10.0.0.9", 60, now), 0s) << i;
  EXPECT_EQ(rate.take("10.0.0.9", 60, now), 1s);
  EXPECT_EQ(rate.take("10.0.0.8", 60, now), 0s);  // another one has his own
  now += 1s;
  EXPECT_EQ(rate.take("10.0.0.9", 60, now), 0s);
  EXPECT_EQ(rate.take("10.0.0.9", 60, now), 1s);
  now += 60s;
  for (int i = 0; i < 60; ++i) EXPECT_EQ(rate.take("10.0.0.9", 60, now), 0s) << i;
  EXPECT_EQ(rate.take("10.0.0.9", 60, now), 1s);
}

TEST(RequestRateTest, OneAMinuteIsOneAMinute) {
  RequestRate rate;
  const MonotonicTime now(1h);
  EXPECT_EQ(rate.take("a", 1, now), 0s);
  EXPECT_EQ(rate.take("a", 1, now), 60s);
  EXPECT_EQ(rate.take("a", 1, now + 59s), 1s);
  EXPECT_EQ(rate.take("a", 1, now + 60s), 0s);
}

TEST(RequestRateTest, ManyAddressesTakeNoMoreMemoryThanSome) {
  RequestRate rate;
  const MonotonicTime now(1h);
  for (std::size_t i = 0; i < 10 * RequestRate::kMostVisitors; ++i) rate.take(std::to_string(i), 60, now);
  EXPECT_EQ(rate.take("a", 60, now), 0s);
}

}  // namespace
}  // namespace gpukeeper::auth
