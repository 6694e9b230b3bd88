#include "auth/token.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gpukeeper::auth {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::seconds(1'780'000'000)};

Result<void> counting(std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return {};
}

Token wanted() {
  return {.role = Role::operator_, .name = "ci", .service = "embedding", .created = kNow, .expires = kNow + 24h};
}

TEST(TokenTest, ATokenIs256RandomBitsAndIsNotKept) {
  const auto made = make_token(wanted(), counting);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->secret, "gk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(made->token.id, "20212223");
  EXPECT_EQ(title(made->token), "token ci (20212223)");
  const std::string kept = tokens_text({&made->token, 1});
  EXPECT_EQ(kept.find("000102030405"), std::string::npos);
}

TEST(TokenTest, TheHashIsSha256) {  // as `printf abc | sha256sum` has it
  EXPECT_EQ(fmt::format("{:02x}", fmt::join(hash_of("abc"), "")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTest, TheKernelsBytesDiffer) {
  std::set<std::string> secrets;
  for (int i = 0; i < 100; ++i) secrets.insert(make_token({}, system_random)->secret);
  EXPECT_EQ(secrets.size(), 100u);
}

TEST(TokenTest, WithoutRandomBytesThereIsNone) {
  const auto made = make_token({}, [](std::span<std::uint8_t>) -> Result<void> {
    return fail(Errc::unavailable, "read random bytes: getrandom: Function not implemented");
  });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "read random bytes: getrandom: Function not implemented");
}

TEST(TokenTest, OnlyTheWholeSecretIsGoodAndOnlyUntilItExpires) {
  const auto made = make_token(wanted(), counting);
  const std::vector<Token> tokens{make_token({}, system_random)->token, made->token};
  EXPECT_EQ(find_token(tokens, made->secret, kNow), &tokens[1]);
  EXPECT_EQ(find_token(tokens, made->secret, kNow + 24h - 1s), &tokens[1]);
  EXPECT_EQ(find_token(tokens, made->secret, kNow + 24h), nullptr);
  EXPECT_EQ(find_token(tokens, "", kNow), nullptr);
  EXPECT_EQ(find_token(tokens, made->secret.substr(0, made->secret.size() - 1), kNow), nullptr);
  EXPECT_EQ(find_token(tokens, made->secret + "0", kNow), nullptr);
  EXPECT_EQ(find_token({}, made->secret, kNow), nullptr);
}

TEST(TokenTest, WhatIsWrittenIsReadAgain) {
  std::vector<Token> tokens{make_token(wanted(), counting)->token, make_token({.created = kNow}, system_random)->token};
  const auto again = parse_tokens(tokens_text(tokens));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, tokens);
  EXPECT_TRUE(parse_tokens(tokens_text({}))->empty());
}

TEST(TokenTest, WhatIsWrongInTheFileIsSaid) {
  const std::string good = tokens_text(std::vector{make_token(wanted(), counting)->token});
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string text = good;
    text.replace(text.find(what), what.size(), instead);
    const auto read = parse_tokens(text);
    return read ? "fine" : read.error().message;
  };
  EXPECT_EQ(with("{", ""), "it is no JSON document of gpukeeper.tokens/1");
  EXPECT_EQ(with("tokens/1", "tokens/2"), "it is no JSON document of gpukeeper.tokens/1");
  EXPECT_EQ(with("20212223", "2021222Z"), "token 1: its id is not eight hex digits");
  EXPECT_EQ(with("\"operator\"", "\"none\""), "token 1: its role is none of viewer, operator, admin");
  EXPECT_EQ(with("\"ci\"", "7"), "token 1: its name is none");
  EXPECT_EQ(with("\"embedding\"", "\"\\u001b[2J\""), "token 1: its service is none");
  EXPECT_EQ(with("\"created\": \"2", "\"created\": \"x2"), "token 1: when it was created is no date");
  EXPECT_EQ(with("\"expires\": \"2", "\"expires\": \"x2"), "token 1: when it expires is neither a date nor null");
  EXPECT_EQ(with("\"sha256\": \"", "\"sha256\": \"+"), "token 1: its sha256 is not 64 hex digits");
  EXPECT_EQ(parse_tokens(R"({"schema": "gpukeeper.tokens/1", "tokens": [7]})").error().message,
            "token 1: it is no object");
}

TEST(TokenTest, ANameIsShortAndHarmless) {
  EXPECT_TRUE(check_token_text("--name", std::string(64, 'a'), 64));
  EXPECT_FALSE(check_token_text("--name", std::string(65, 'a'), 64));
  EXPECT_EQ(check_token_text("--name", "a\nb", 64).error().message,
            "--name takes at most 64 bytes without control characters, not 'a?b'");
}

}  // namespace
}  // namespace gpukeeper::auth
