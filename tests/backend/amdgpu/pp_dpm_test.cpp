#include "backend/amdgpu/pp_dpm.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(PpDpmTest, LevelsNeedNotBeSorted) {
  const auto levels = parse_dpm_levels("0: 500Mhz \n1: 31Mhz *\n2: 2219Mhz \n");
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(highest_clock(levels), Megahertz(2219));
  EXPECT_EQ(starred_clock(levels), Megahertz(31));
}

TEST(PpDpmTest, DeepSleepIsALevelWithoutANumber) {
  const auto levels = parse_dpm_levels("S: 500Mhz *\n1: 789Mhz\n2: 2070Mhz");
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(starred_clock(levels), Megahertz(500));
}

TEST(PpDpmTest, SeveralStarsMeanTheFastest) {
  EXPECT_EQ(starred_clock(parse_dpm_levels("0: 400Mhz \n2: 687Mhz *\n3: 600Mhz *\n")), Megahertz(687));
}

TEST(PpDpmTest, NoStarMeansNothing) {
  EXPECT_FALSE(starred_clock(parse_dpm_levels("0: 300Mhz \n1: 1900Mhz \n")));
}

TEST(PpDpmTest, EmptyAndForeignTextsHaveNoLevels) {
  EXPECT_TRUE(parse_dpm_levels("").empty());
  EXPECT_TRUE(parse_dpm_levels("\n").empty());
  EXPECT_TRUE(parse_dpm_levels("OD_SCLK:\nSCLK: 500Mhz 900Mhz\n0: fastMhz\n0: 99999999999Mhz\n").empty());
  EXPECT_FALSE(highest_clock({}));
  EXPECT_FALSE(highest_clock(parse_dpm_levels("0: 0Mhz *\n1: 0Mhz *\n")));
}

TEST(PpDpmTest, LinkLevelsHaveGenerationAndWidth) {
  const auto levels = parse_pcie_levels("0: 2.5GT/s, x1 310Mhz \n1: 16.0GT/s, x16 619Mhz *\n2: 8.0GT/s, x8 *\n");
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].generation, 1u);
  EXPECT_EQ(levels[0].width, 1u);
  EXPECT_FALSE(levels[0].current);
  EXPECT_EQ(levels[1].generation, 4u);
  EXPECT_EQ(levels[1].width, 16u);
  EXPECT_TRUE(levels[1].current);
  EXPECT_EQ(levels[2].generation, 3u);
  EXPECT_EQ(levels[2].width, 8u);
  EXPECT_TRUE(levels[2].current);
  EXPECT_TRUE(parse_pcie_levels("\n0: \n1: 8.0GT/s, xmany\n").empty());
}

}  // namespace
}  // namespace gpukeeper
