#include "cli/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/token_file.hpp"
#include "captured.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class TokenTest : public testing::Test {
 protected:
  TokenTest() {
    world_.context.remark = [this](std::string_view sentence) { remarks_.emplace_back(sentence); };
    options_.folder = (folder_.path() / "state").string();
    options_.random = [](std::span<std::uint8_t> bytes) -> Result<void> {
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
      return {};
    };
  }
  // What it prints, or why it failed.
  std::string run(const std::string& action, const std::string& id = {}) {
    options_.action = action;
    options_.id = id;
    world_.out.text.clear();
    const auto exit = token(options_, world_.context);
    return exit ? world_.out.text : "failed: " + exit.error().message;
  }

  const TemporaryFolder folder_;
  Captured world_;
  TokenOptions options_;
  std::vector<std::string> remarks_;
};

constexpr std::string_view kSecret = "gk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST_F(TokenTest, OneIsMadeShownOnceListedAndRevoked) {
  EXPECT_EQ(run("list"), "there is no token\n");
  options_.name = "ci";
  options_.lifetime = 24h;
  EXPECT_EQ(run("create"), std::string(kSecret) + "\n");
  EXPECT_THAT(remarks_, ElementsAre("token ci (20212223), operator, is kept as a hash in " + options_.folder +
                                    "/tokens.json: it is shown this once"));
  const auto kept = auth::TokenFile(options_.folder).read().value();
  EXPECT_NE(auth::find_token(kept, kSecret, world_.clock.wall()), nullptr);
  EXPECT_EQ(kept.at(0).expires, world_.clock.wall() + 24h);
  const std::string listed = run("list");
  EXPECT_THAT(listed, testing::HasSubstr("20212223"));
  EXPECT_THAT(listed, testing::HasSubstr("operator"));
  EXPECT_EQ(listed.find("0001020304"), std::string::npos);
  EXPECT_EQ(run("revoke", "20212223"), "token ci (20212223) is revoked\n");
  EXPECT_THAT(auth::TokenFile(options_.folder).read().value(), IsEmpty());
}

TEST_F(TokenTest, AsJsonItSaysTheSame) {
  options_.json = true;
  options_.role = "viewer";
  options_.service = "embedding";
  const Json made = Json::parse(run("create"));
  EXPECT_EQ(made["schema"], "gpukeeper.token/1");
  EXPECT_EQ(made["token"], kSecret);
  EXPECT_EQ(made["role"], "viewer");
  EXPECT_EQ(made["service"], "embedding");
  EXPECT_EQ(made["expires"], nullptr);
  const Json listed = Json::parse(run("list"));
  EXPECT_EQ(listed["schema"], "gpukeeper.token-list/1");
  EXPECT_EQ(listed["tokens"][0]["id"], "20212223");
  EXPECT_FALSE(listed["tokens"][0].contains("sha256"));
}

TEST_F(TokenTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(run("revoke"), "failed: token revoke needs the id that gpukeeper token list shows");
  EXPECT_EQ(run("create", "1"), "failed: only token revoke takes an id");
  EXPECT_EQ(run("revoke", "x\x1b"), "failed: there is no token 'x?': gpukeeper token list shows those there are");
  options_.name = "a\nb";
  EXPECT_EQ(run("create"), "failed: --name takes at most 64 bytes without control characters, not 'a?b'");
  options_.name.clear();
  options_.service = "embedding";
  options_.role = "admin";
  EXPECT_EQ(run("create"), "failed: a token for one service is for its leases: take --role operator or viewer");
  options_.folder.clear();
  EXPECT_EQ(run("list"), "failed: no folder is known for tokens: name the daemon's with --state-dir");
  options_.folder = "/proc/none";
  EXPECT_THAT(run("revoke", "20212223"), testing::StartsWith("failed: make the folder /proc/none: "));
}

TEST_F(TokenTest, NoMoreAreMadeThanTheFileMayHave) {
  ASSERT_TRUE(auth::TokenFile(options_.folder).change([](std::vector<auth::Token>& tokens) -> Result<void> {
    tokens.resize(auth::kMostTokens, auth::make_token({}, auth::system_random)->token);
    return {};
  }));
  EXPECT_EQ(run("create"), "failed: there are 1000 tokens already: revoke those that nobody uses");
}

}  // namespace
}  // namespace gpukeeper::cli
