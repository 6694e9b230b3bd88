#include "account/sharing.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::account {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

Shares of(std::vector<Claim> claims) {
  return divide(claims);
}

TEST(SharingTest, MeasuredUseDecidesWhereItIsKnownOfAll) {
  const Shares shares = of({{30.0, 1e9}, {10.0, 70e9}, {0.0, 5e9}});
  EXPECT_EQ(shares.by, SharedBy::use);
  EXPECT_THAT(shares.of, ElementsAre(0.75, 0.25, 0.0));
}

TEST(SharingTest, MemoryDecidesWhereNobodyWorks) {
  const Shares shares = of({{0.0, 10e9}, {0.0, 30e9}});
  EXPECT_EQ(shares.by, SharedBy::memory);
  EXPECT_THAT(shares.of, ElementsAre(0.25, 0.75));
}

TEST(SharingTest, MemoryDecidesWhereTheUseOfOneIsNotTold) {
  const Shares shares = of({{90.0, 10e9}, {std::nullopt, 10e9}});
  EXPECT_EQ(shares.by, SharedBy::memory);
  EXPECT_THAT(shares.of, ElementsAre(0.5, 0.5));
}

TEST(SharingTest, NothingToldIsDividedEvenly) {
  const Shares shares = of({{std::nullopt, 10e9}, {std::nullopt, std::nullopt}, {std::nullopt, 1.0}});
  EXPECT_EQ(shares.by, SharedBy::evenly);
  EXPECT_THAT(shares.of, testing::Each(DoubleNear(1 / 3.0, 1e-12)));
}

TEST(SharingTest, WhatIsNoNumberCountsAsNotTold) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), endless = std::numeric_limits<double>::infinity();
  EXPECT_EQ(of({{nan, 1.0}, {5.0, 3.0}}).by, SharedBy::memory);
  EXPECT_EQ(of({{endless, -1.0}, {5.0, 3.0}}).by, SharedBy::evenly);
  EXPECT_EQ(of({{1e308, 1.0}, {1e308, 3.0}}).by, SharedBy::memory);  // the sum is none
}

TEST(SharingTest, NobodyHasNoShare) {
  EXPECT_TRUE(of({}).of.empty());
}

}  // namespace
}  // namespace gpukeeper::account
