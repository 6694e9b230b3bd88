#include "auth/token_file.hpp"

#include <fstream>
#include <thread>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TokenFileTest : public testing::Test {
 protected:
  static NewToken add(const TokenFile& file) {
    const auto made = make_token({.role = Role::viewer, .name = "ci"}, system_random).value();
    const auto kept = file.change([&](std::vector<Token>& tokens) -> Result<void> {
      tokens.push_back(made.token);
      return {};
    });
    EXPECT_TRUE(kept) << kept.error().message;
    return made;
  }
  void write(const std::string& text) const { std::ofstream(file_.path()) << text; }

  const TemporaryFolder folder_;
  const std::string place_ = (folder_.path() / "state").string();
  const TokenFile file_{place_};
};

TEST_F(TokenFileTest, OnlyItsOwnerMayReadIt) {
  add(file_);
  struct stat facts {};
  ASSERT_EQ(::stat(file_.path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777u, 0600u);
  ASSERT_EQ(::stat(place_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0027u, 0u);
}

TEST_F(TokenFileTest, NoFileIsNoToken) {
  EXPECT_THAT(*file_.read(), IsEmpty());
}

TEST_F(TokenFileTest, ADamagedFileIsLeftAlone) {
  add(file_);
  write("{");
  const auto refused = file_.change([](std::vector<Token>&) -> Result<void> { return {}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "the tokens in " + file_.path() +
                " cannot be read: it is no JSON document of gpukeeper.tokens/1: mend the file, "
                "or remove it and make new ones");
}

TEST_F(TokenFileTest, TwoThatChangeItAtOnceLoseNothing) {
  {
    std::jthread other([&] {
      for (int i = 0; i < 10; ++i) add(file_);
    });
    for (int i = 0; i < 10; ++i) add(file_);
  }
  EXPECT_EQ(file_.read()->size(), 20u);
}

TEST_F(TokenFileTest, ADaemonTakesAChangedFileOverAndADamagedOneForNone) {
  FakeClock clock;
  const auto lines = std::make_shared<FakeLogTarget>();
  Log log(clock, lines);
  LiveTokens live(place_, log);
  EXPECT_THAT(*live.now(), IsEmpty());
  const auto made = add(file_);
  live.look();
  EXPECT_THAT(*live.now(), ElementsAre(made.token));
  write("{");
  live.look();
  live.look();
  EXPECT_THAT(*live.now(), IsEmpty());
  EXPECT_THAT(lines->take(), ElementsAre(HasSubstr("no token counts: the tokens in ")));  // said once
}

TEST_F(TokenFileTest, WithoutAStateDirectoryThereAreNone) {
  FakeClock clock;
  Log log(clock, std::make_shared<FakeLogTarget>());
  LiveTokens live("", log);
  live.look();
  EXPECT_THAT(*live.now(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::auth
