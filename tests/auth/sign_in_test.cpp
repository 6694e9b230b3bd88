#include "auth/sign_in.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow(1'780'000'000s);

TEST(SignInTest, ACodeWorksOnceAndBeginsASession) {
  SignIn sign_in;
  const auto code = sign_in.make_code(Role::operator_, kNow);
  ASSERT_TRUE(code);
  EXPECT_FALSE(sign_in.session(*code, kNow));  // it is no session itself
  const auto secret = sign_in.redeem(*code, kNow + 9min);
  ASSERT_TRUE(secret && *secret);
  EXPECT_NE(**secret, *code);
  EXPECT_FALSE(sign_in.redeem(*code, kNow + 9min).value());
  const auto who = sign_in.session(**secret, kNow + 9min + 11h);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->role, Role::operator_);
  EXPECT_TRUE(who->known);
  EXPECT_TRUE(who->name.starts_with("sign-in ")) << who->name;
  EXPECT_FALSE(sign_in.session(**secret, kNow + 9min + 12h));
}

TEST(SignInTest, ACodeIsGoodForTenMinutes) {
  SignIn sign_in;
  const auto code = sign_in.make_code(Role::operator_, kNow);
  EXPECT_FALSE(sign_in.redeem(*code, kNow + 10min).value());
  EXPECT_FALSE(sign_in.redeem("gk_0", kNow).value());
  EXPECT_FALSE(sign_in.redeem("", kNow).value());
}

TEST(SignInTest, OfManyTheOldestEnds) {
  SignIn sign_in;
  const auto first = sign_in.make_code(Role::operator_, kNow).value();
  for (std::size_t i = 0; i < SignIn::kMost; ++i) ASSERT_TRUE(sign_in.make_code(Role::operator_, kNow));
  EXPECT_FALSE(sign_in.redeem(first, kNow).value());
}

TEST(SignInTest, WithoutRandomnessThereIsNone) {
  SignIn sign_in([](std::span<std::uint8_t>) -> Result<void> { return fail(Errc::unavailable, "no randomness"); });
  EXPECT_EQ(sign_in.make_code(Role::operator_, kNow).error().message, "no randomness");
}

}  // namespace
}  // namespace gpukeeper::auth
