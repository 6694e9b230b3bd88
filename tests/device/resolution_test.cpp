#include "device/resolution.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(ResolutionTest, ANumberIsCutOffWhereItsUnitEnds) {
  EXPECT_EQ(as_recorded("percent", 97.29), 97.2);
  EXPECT_EQ(as_recorded("celsius", 84.999), 84.9);
  EXPECT_EQ(as_recorded("celsius", -3.17), -3.2);
  EXPECT_EQ(as_recorded("watts", 371.239), 371.23);
  EXPECT_EQ(as_recorded("joules", 37274.173), 37274.1);
  EXPECT_EQ(as_recorded("megahertz", 1980.9), 1980);
  EXPECT_EQ(as_recorded("bytes/second", 8534722.759), 8534000);
  EXPECT_EQ(as_recorded("volts", 0.8126), 0.813);
  EXPECT_EQ(as_recorded("", 0.0004), 0);
}

TEST(ResolutionTest, ARateKeepsFiveDigits) {
  EXPECT_EQ(as_recorded("bytes/second", 99'999'999.9), 99'999'000);
  EXPECT_EQ(as_recorded("bytes/second", 100'000'000), 100'000'000);
  EXPECT_EQ(as_recorded("bytes/second", 859'538'722.759), 859'530'000);
  EXPECT_EQ(as_recorded("bytes/second", 84'171'881'000), 84'171'000'000);
  EXPECT_EQ(as_recorded("bytes/second", -99'999'999), -100'000'000);
}

// Or a recording of a recording would lose a little each time.
TEST(ResolutionTest, WhatWasRecordedStaysAsItIs) {
  for (const char* unit : {"percent", "celsius", "watts", "joules", "megahertz", "bytes/second", ""}) {
    for (int i = -20'000; i < 20'000; ++i) {
      const double once = as_recorded(unit, i * 0.0517);
      ASSERT_EQ(as_recorded(unit, once), once) << unit << " " << i * 0.0517;
      const double large = as_recorded(unit, i * 1'048'573.7);
      ASSERT_EQ(as_recorded(unit, large), large) << unit << " " << i * 1'048'573.7;
    }
  }
}

TEST(ResolutionTest, NoBorderIsReachedThatWasNotReached) {
  for (const double border : {65.0, 75.0, 84.1, 85.0}) {
    EXPECT_GE(as_recorded("celsius", border), border);
    EXPECT_LT(as_recorded("celsius", border - 0.001), border);
  }
}

TEST(ResolutionTest, LargeNumbersStayFinite) {
  EXPECT_EQ(as_recorded("watts", 1.7e308), 1.7e308);
  EXPECT_EQ(as_recorded("percent", -1.7e308), -1.7e308);
  EXPECT_FALSE(std::signbit(as_recorded("", -0.0001)));
}

}  // namespace
}  // namespace gpukeeper
