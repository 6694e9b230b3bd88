#include "core/nearest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(NearestTest, FindsWhatWasMeantAndNothingFarAway) {
  const std::string_view commands[] = {"status", "devices", "metrics", "doctor"};
  EXPECT_EQ(nearest("stauts", commands), "status");
  EXPECT_EQ(nearest("device", commands), "devices");
  EXPECT_EQ(nearest("doc", commands), "doctor");
  EXPECT_EQ(nearest("zebra", commands), "");
  EXPECT_EQ(nearest("", commands), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), commands), "");
}

TEST(NearestTest, TheUnitMayBeLeftOffAndShortWordsAreNotGuessed) {
  const std::string_view metrics[] = {"memory_used_bytes", "power_watts", "power_limit_watts"};
  EXPECT_EQ(nearest("power", metrics), "power_watts");
  EXPECT_EQ(nearest("limit", metrics), "power_limit_watts");
  EXPECT_EQ(nearest("xy", metrics), "");
}

}  // namespace
}  // namespace gpukeeper
