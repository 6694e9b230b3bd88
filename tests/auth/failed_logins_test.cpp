#include "auth/failed_logins.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

using namespace std::chrono_literals;
constexpr MonotonicTime kStart{1h};

TEST(FailedLoginsTest, AfterTenWithinAMinuteItIsTooMany) {
  FailedLogins failed;
  for (std::size_t i = 0; i < FailedLogins::kMost; ++i) EXPECT_FALSE(failed.is_too_many("10.0.0.9", kStart)) << i;
  EXPECT_TRUE(failed.is_too_many("10.0.0.9", kStart + 59s));
  EXPECT_FALSE(failed.is_too_many("10.0.0.8", kStart + 59s));  // somebody else
  EXPECT_FALSE(failed.is_too_many("10.0.0.9", kStart + 60s));  // another minute
}

TEST(FailedLoginsTest, MoreAddressesThanItRemembersDoNotMakeItGrow) {
  FailedLogins failed;
  for (std::size_t i = 0; i <= FailedLogins::kMost; ++i) failed.is_too_many("10.0.0.9", kStart);
  for (std::size_t i = 0; i < FailedLogins::kMostAddresses; ++i) failed.is_too_many(std::to_string(i), kStart + 1s);
  EXPECT_FALSE(failed.is_too_many("10.0.0.9", kStart + 2s));  // forgotten with all others
}

}  // namespace
}  // namespace gpukeeper::auth
