#include "engine/state_dir.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;

std::string usual(const std::map<std::string, std::string>& variables, bool root = false) {
  const auto path = StateDirectory::usual_path(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      root);
  return path ? *path : "error: " + path.error().message;
}

TEST(StateDirectoryTest, TheServiceManagerDecidesThenTheUser) {
  EXPECT_EQ(usual({{"STATE_DIRECTORY", "/var/lib/private/gk:/var/lib/other"}, {"HOME", "/root"}}, true),
            "/var/lib/private/gk");
  EXPECT_EQ(usual({{"HOME", "/root"}}, true), "/var/lib/gpukeeper");
  EXPECT_EQ(usual({{"XDG_STATE_HOME", "/home/a/state"}, {"HOME", "/home/a"}}), "/home/a/state/gpukeeper");
  EXPECT_EQ(usual({{"XDG_STATE_HOME", "state"}, {"HOME", "/home/a"}}), "/home/a/.local/state/gpukeeper");
  EXPECT_EQ(
      usual({}),
      "error: there is no state directory: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; give one with "
      "--state-dir");
}

class ClaimTest : public testing::Test {
 protected:
  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
};

TEST_F(ClaimTest, IsMadeWithTheFoldersAboveItAndForItsOwnerAndGroupAlone) {
  const std::string path = folder_ + "/a/b";
  const auto claimed = StateDirectory::claim(path);
  ASSERT_TRUE(claimed) << claimed.error().message;
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777 & ~0750u, 0u);
  EXPECT_EQ(claimed->folder("simulated").value(), path + "/simulated");
  EXPECT_TRUE(std::filesystem::is_directory(path + "/simulated"));
}

TEST_F(ClaimTest, HasOneOwnerAtATime) {
  {
    const auto first = StateDirectory::claim(folder_);
    ASSERT_TRUE(first);
    const auto second = StateDirectory::claim(folder_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), (Error{Errc::unavailable, "the state directory " + folder_ + " is in use by process " +
                                                            std::to_string(::getpid()) +
                                                            ": stop that one, or choose another folder with "
                                                            "--state-dir"}));
  }
  EXPECT_TRUE(StateDirectory::claim(folder_)) << "its owner has ended";
}

TEST_F(ClaimTest, WhatIsInTheWayIsNamed) {
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_EQ(
      StateDirectory::claim(folder_ + "/file").error().message,
      "the state directory " + folder_ +
          "/file: it cannot be used: Not a directory; choose another folder with --state-dir, or make it one that "
          "this user may write");
  EXPECT_EQ(
      StateDirectory::claim(folder_ + "/file/below").error().message,
      "the state directory " + folder_ +
          "/file/below: it cannot be made: Not a directory; choose another folder with --state-dir, or make it one "
          "that this user may write");
  EXPECT_EQ(StateDirectory::claim("").error().message, "the state directory has an empty name; give another");
}

TEST_F(ClaimTest, NobodyElseMayPutALinkInThePlaceOfItsFiles) {
  const auto folder = temporary_.path() / "state";
  std::filesystem::create_directory(folder);
  std::ofstream(temporary_.path() / "precious") << "mine";
  std::filesystem::create_symlink("../precious", folder / "lock");
  EXPECT_THAT(StateDirectory::claim(folder.string()).error().message,
              HasSubstr("its lock cannot be opened: Too many levels"));
  std::ifstream kept(temporary_.path() / "precious");
  EXPECT_EQ(std::string(std::istreambuf_iterator(kept), {}), "mine");
  std::filesystem::remove(folder / "lock");
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  EXPECT_EQ(StateDirectory::claim(folder.string()).error(),
            (Error{Errc::not_permitted, "the state directory " + folder.string() +
                                            ": every user of this machine may write there; choose another folder with "
                                            "--state-dir, or change that"}));
}

TEST_F(ClaimTest, MadeUpFaultsHaveAJournalOfTheirOwn) {
  const auto claimed = StateDirectory::claim(folder_);
  ASSERT_TRUE(claimed);
  Sources sources;
  const auto made_up = open_fault_store(*claimed, sources);
  ASSERT_TRUE(made_up) << made_up.error().message;
  EXPECT_EQ((*made_up)->place(), folder_ + "/simulated/faults.db");
  EXPECT_TRUE((*made_up)->keeps_made_up());
  sources.machine = std::make_shared<MemoryFiles>();
  const auto real = open_fault_store(*claimed, sources);
  ASSERT_TRUE(real);
  EXPECT_EQ((*real)->place(), folder_ + "/faults.db");
  EXPECT_FALSE((*real)->keeps_made_up());
}

}  // namespace
}  // namespace gpukeeper
