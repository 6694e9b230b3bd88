#include "engine/command_queue.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(CommandQueueTest, CommandsRunOnceInTheOrderTheyCame) {
  CommandQueue queue;
  std::string ran;
  for (const char letter : {'a', 'b', 'c'}) ASSERT_TRUE(queue.post([&ran, letter] { ran += letter; }));
  EXPECT_EQ(ran, "");
  queue.run();
  EXPECT_EQ(ran, "abc");
  queue.run();
  EXPECT_EQ(ran, "abc");
}

TEST(CommandQueueTest, OneThatThrowsHarmsNoOther) {
  CommandQueue queue;
  bool ran = false;
  ASSERT_TRUE(queue.post([] { throw std::runtime_error("a mistake"); }));
  ASSERT_TRUE(queue.post([&] { ran = true; }));
  queue.run();
  EXPECT_TRUE(ran);
}

TEST(CommandQueueTest, WhatACommandPostsWaitsForTheNextRun) {
  CommandQueue queue;
  int ran = 0;
  std::function<void()> again = [&] {
    ++ran;
    EXPECT_TRUE(queue.post(again));
  };
  ASSERT_TRUE(queue.post(again));
  queue.run();
  EXPECT_EQ(ran, 1);
  queue.run();
  EXPECT_EQ(ran, 2);
}

TEST(CommandQueueTest, BeyondItsBoundItTakesNoneUntilThoseAreDone) {
  CommandQueue queue;
  std::size_t ran = 0;
  for (std::size_t i = 0; i < CommandQueue::kMost; ++i) ASSERT_TRUE(queue.post([&] { ++ran; }));
  EXPECT_FALSE(queue.post([&] { ++ran; }));
  queue.run();
  EXPECT_EQ(ran, CommandQueue::kMost);
  EXPECT_TRUE(queue.post([] {}));
}

}  // namespace
}  // namespace gpukeeper
