#include "format/human.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(HumanTest, TimesArePlainForPeopleAndExactForPrograms) {
  const WallTime time(std::chrono::milliseconds(1'780'000'000'042));
  EXPECT_EQ(rfc3339(time), "2026-05-28T20:26:40.042Z");
  EXPECT_EQ(rfc3339(WallTime(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(local_time(time, std::chrono::hours(2)), "2026-05-28 22:26:40");
}

TEST(HumanTest, SizesAreInPowersOf1024) {
  EXPECT_EQ(size_text(0), "0 MiB");
  EXPECT_EQ(size_text(1), "1 KiB");
  EXPECT_EQ(size_text(512ull << 20), "512 MiB");
  EXPECT_EQ(size_text(3ull << 29), "1.5 GiB");
  EXPECT_EQ(size_text(2ull << 40), "2.0 TiB");
}

TEST(HumanTest, AgesAreShort) {
  EXPECT_EQ(age_text(std::chrono::seconds(12)), "12 s");
  EXPECT_EQ(age_text(std::chrono::minutes(5)), "5 min");
  EXPECT_EQ(age_text(std::chrono::hours(3)), "3 h");
  EXPECT_EQ(age_text(std::chrono::hours(72)), "3 d");
}

}  // namespace
}  // namespace gpukeeper
