#include "postgres/spool.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::postgres {
namespace {

Tick tick_of_size(std::size_t bytes) {
  Tick tick;
  tick.rows.push_back({.device = std::make_shared<const Device>(), .index = 0, .values = std::string(bytes, 'x')});
  return tick;
}

const std::size_t kOne = tick_of_size(1000).bytes();

std::vector<std::uint64_t> numbers(const Spool::Batch& batch) {
  std::vector<std::uint64_t> result;
  for (const auto& tick : batch) result.push_back(tick->number);
  return result;
}

using Numbers = std::vector<std::uint64_t>;

TEST(SpoolTest, GivesOutTheOldestUntilTheyHaveArrived) {
  Spool spool(Bytes(10 * kOne));
  EXPECT_TRUE(spool.take(kOne).empty());
  for (int i = 0; i < 3; ++i) spool.put(tick_of_size(1000));
  EXPECT_EQ(numbers(spool.take(2 * kOne)), (Numbers{1, 2}));
  spool.back();
  EXPECT_EQ(numbers(spool.take(0)), Numbers{1});
  spool.done(1);
  EXPECT_EQ(numbers(spool.take(10 * kOne)), (Numbers{2, 3}));
  spool.done(3);
  EXPECT_EQ(spool.figures().waiting, 0U);
  EXPECT_EQ(spool.figures().bytes, 0U);
}

TEST(SpoolTest, DropsAndCountsTheOldestAboveItsBound) {
  Spool spool(Bytes(3 * kOne));
  for (int i = 0; i < 8; ++i) spool.put(tick_of_size(1000));
  EXPECT_EQ(spool.figures().dropped, 5U);
  EXPECT_LE(spool.figures().bytes, 3 * kOne);
  EXPECT_EQ(numbers(spool.take(10 * kOne)), (Numbers{6, 7, 8}));
}

TEST(SpoolTest, WhatIsOnItsWayIsNotDropped) {
  Spool spool(Bytes(3 * kOne));
  for (int i = 0; i < 3; ++i) spool.put(tick_of_size(1000));
  EXPECT_EQ(numbers(spool.take(2 * kOne)), (Numbers{1, 2}));
  for (int i = 0; i < 3; ++i) spool.put(tick_of_size(1000));
  EXPECT_EQ(spool.figures().dropped, 3U);
  spool.done(2);
  EXPECT_EQ(numbers(spool.take(10 * kOne)), Numbers{6});
}

TEST(SpoolTest, ATickThatIsLargerThanTheBoundIsKeptAlone) {
  Spool spool(Bytes(100));
  spool.put(tick_of_size(1000));
  spool.put(tick_of_size(1000));
  EXPECT_EQ(numbers(spool.take(0)), Numbers{2});
}

}  // namespace
}  // namespace gpukeeper::postgres
