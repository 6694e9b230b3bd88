#include "machine/memory.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(MemoryTest, TheKernelCountsInKib) {
  const auto memory = parse_meminfo(
      "MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:    4096 kB\nBuffers:          512 kB\n"
      "Cached:          2048 kB\nSwapTotal:       8192 kB\nSwapFree:        6144 kB\nHugePages_Total:       0\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total, 16_MiB);
  EXPECT_EQ(memory->free, 1_MiB);
  EXPECT_EQ(memory->available, 4_MiB);
  EXPECT_EQ(memory->used(), 12_MiB);
  EXPECT_EQ(memory->used_share(), Percent(75));
  EXPECT_EQ(memory->cached, 2_MiB);
  EXPECT_EQ(memory->buffers, from_kib(512));
  EXPECT_EQ(memory->swap_total, 8_MiB);
  EXPECT_EQ(memory->swap_free, 6_MiB);
}

TEST(MemoryTest, WhatIsNotNamedIsAbsent) {
  const auto memory = parse_meminfo("MemTotal: 2048 kB\nMemFree: 1024 kB\nMemAvailable: 1024 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->cached, std::nullopt);
  EXPECT_EQ(memory->swap_total, std::nullopt);
}

TEST(MemoryTest, WhatIsNoSuchTextIsNothing) {
  for (const char* text :
       {"", "MemTotal: 1 kB\n", "MemTotal: 0 kB\nMemFree: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: -1 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n",
        "MemTotal: 99999999999999999999 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n",
        "MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n", "MemTotal\xff: 1\n:\n::\n"}) {
    EXPECT_FALSE(parse_meminfo(text)) << text;
  }
}

TEST(MemoryTest, MoreAvailableThanThereIsUsesNothing) {
  const auto memory = parse_meminfo("MemTotal: 1 kB\nMemFree: 1 kB\nMemAvailable: 9 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->used(), Bytes(0));
}

}  // namespace
}  // namespace gpukeeper
