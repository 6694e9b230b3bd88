#include "core/rfc3339.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339Test, WhatIsWrittenIsReadAgain) {
  for (const auto since_epoch : {0ms, 999ms, 1'780'000'000'123ms, 951'782'400'000ms}) {  // the last: 29 February 2000
    const WallTime time(since_epoch);
    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time) << rfc3339(time);
  }
  EXPECT_EQ(rfc3339(WallTime(1'780'000'000'000ms)), "2026-05-28T20:26:40.000Z");
}

TEST(Rfc3339Test, ReadsEveryFormThatTheStandardAllows) {
  const WallTime time(1'780'000'000'500ms);
  for (const char* text : {"2026-05-28T20:26:40.5Z", "2026-05-28t20:26:40.500z", "2026-05-28 22:26:40.500123+02:00",
                           "2026-05-28T15:56:40.5-04:30"}) {
    EXPECT_EQ(parse_rfc3339(text), time) << text;
  }
}

TEST(Rfc3339Test, RefusesAnythingElse) {
  for (const char* text :
       {"", "now", "2026-05-28", "2026-05-28T20:26:40", "2026-02-30T20:26:40Z", "2026-13-01T00:00:00Z",
        "2026-05-28T24:00:00Z", "2026-05-28T20:26:40.Z", "2026-05-28T20:26:40Zx", "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z", "+2026-05-28T20:26:40Z", "2026-05-28T20:26:40+2"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace gpukeeper
