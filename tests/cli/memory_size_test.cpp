#include "cli/memory_size.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::cli {
namespace {

TEST(MemorySizeTest, ANumberCountsMiBAndAUnitSaysWhatItSays) {
  struct Case {
    std::string_view text;
    std::uint64_t bytes;
  };
  for (const auto& [text, bytes] :
       {Case{"4096", 4096ull << 20}, Case{"0.5", 512ull << 10}, Case{"6GiB", 6ull << 30}, Case{"6144MiB", 6ull << 30},
        Case{"1.5GiB", 1536ull << 20}, Case{"6GB", 6'000'000'000}, Case{"700MB", 700'000'000},
        Case{"6 GiB", 6ull << 30}, Case{"1048576B", 1ull << 20}}) {
    const auto parsed = parse_memory(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->value(), bytes) << text;
  }
}

TEST(MemorySizeTest, WhatIsNoneIsRefusedWithWhatWouldBeRight) {
  const auto message = [](std::string_view text) { return parse_memory(text).error().message; };
  for (const auto* text : {"", "much", "6g", "-4", "4GiBs", "nan", ".", "0x10"}) {
    EXPECT_EQ(message(text),
              "memory is a number of MiB, or has a unit: 6144, 6GiB, 6144MiB, 6GB; not '" + std::string(text) + "'");
  }
  EXPECT_EQ(message("0"), "memory must be more than 0");
  EXPECT_EQ(message("6442450944"), "'6442450944' is more memory than any machine has: a number alone counts MiB");
  EXPECT_EQ(message("\x1b[2J"), "memory is a number of MiB, or has a unit: 6144, 6GiB, 6144MiB, 6GB; not '?[2J'");
}

TEST(MemorySizeTest, AUnitThatCountsInThousandsIsSaidPlainly) {
  EXPECT_EQ(memory_remark("6GB"), "6GB are 5722 MiB: that unit counts in thousands; 6GiB are 6144 MiB");
  EXPECT_EQ(memory_remark("700MB"), "700MB are 667 MiB: that unit counts in thousands; 700MiB are 700 MiB");
  EXPECT_EQ(memory_remark("6GiB"), "");
  EXPECT_EQ(memory_remark("6144"), "");
  EXPECT_EQ(memory_remark("muchGB"), "");
}

}  // namespace
}  // namespace gpukeeper::cli
