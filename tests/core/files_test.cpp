#include "core/files.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

class RealFilesTest : public ::testing::Test {
 protected:
  RealFilesTest() {
    std::filesystem::create_directories(root_ / "sys/a");
    std::ofstream(root_ / "sys/a/x") << "one\n";
    std::ofstream(root_ / "sys/a/b") << "";
    std::filesystem::create_symlink("../a", root_ / "sys/link");
  }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  const RealFiles files_{root_.string() + "/"};
};

TEST_F(RealFilesTest, ReadsBelowItsRoot) {
  EXPECT_EQ(files_.read("/sys/a/x").value(), "one\n");
}

TEST_F(RealFilesTest, ListsNamesSorted) {
  EXPECT_THAT(files_.list("/sys/a").value(), ElementsAre("b", "x"));
}

TEST_F(RealFilesTest, FollowsOneLink) {
  EXPECT_EQ(files_.read_link("/sys/link").value(), "../a");
}

TEST_F(RealFilesTest, TellsTheFactsOfAFileWithoutOpeningIt) {
  const auto facts = files_.stat("/sys/a/x");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->size, 4u);
  EXPECT_NE(facts->inode, 0u);
  EXPECT_EQ(facts->owner, ::geteuid());
  EXPECT_EQ(files_.stat("/sys/a/x").value(), *facts);
  EXPECT_NE(files_.stat("/sys/a/b").value(), *facts);
  const auto none = files_.stat("/sys/none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::not_found);
  EXPECT_EQ(none.error().message, "stat " + root_.string() + "/sys/none: No such file or directory");
}

TEST_F(RealFilesTest, FilesThatKnowNoFactsSaySo) {
  class Plain final : public Files {
   public:
    Result<std::string> read(std::string_view) const override { return std::string(); }
    Result<std::vector<std::string>> list(std::string_view) const override { return std::vector<std::string>(); }
    Result<std::string> read_link(std::string_view) const override { return std::string(); }
  };
  const auto facts = Plain().stat("/proc/1/fd");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::not_supported);
  EXPECT_EQ(facts.error().message, "stat /proc/1/fd: these files have no facts");
}

TEST_F(RealFilesTest, AnErrorNamesTheOperationThePathAndTheCause) {
  const auto missing = files_.read("/sys/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().message, EndsWith("/sys/none: No such file or directory"));
  EXPECT_EQ(files_.list("/sys/a/x").error().code, Errc::not_found);
  EXPECT_EQ(files_.read_link("/sys/a/x").error().code, Errc::invalid_argument);
}

TEST_F(RealFilesTest, HandsOutTheLinesOfAFileOfAnySize) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "line " + std::to_string(i) + (i % 2 == 0 ? "\r\n" : "\n");
  text += "the last";
  ASSERT_GT(text.size(), Files::kMaxFileBytes);
  std::ofstream(root_ / "sys/a/large") << text;
  int count = 0;
  std::string last;
  ASSERT_TRUE(files_.each_line("/sys/a/large", [&](std::string_view line) {
    if (count < 200'000) {
      EXPECT_EQ(line, "line " + std::to_string(count));
    }
    ++count;
    last = line;
    return true;
  }));
  EXPECT_EQ(count, 200'001);
  EXPECT_EQ(last, "the last");
}

TEST_F(RealFilesTest, StopsHandingOutLinesWhenToldTo) {
  std::ofstream(root_ / "sys/a/three") << "1\n2\n3\n";
  std::string seen;
  ASSERT_TRUE(files_.each_line("/sys/a/three", [&](std::string_view line) {
    seen += line;
    return line != "2";
  }));
  EXPECT_EQ(seen, "12");
  EXPECT_EQ(files_.each_line("/sys/none", [](std::string_view) { return true; }).error().code, Errc::not_found);
}

TEST_F(RealFilesTest, AFileThatAUserNamedIsReadWholeOrRefused) {
  const auto path = (root_ / "big").string();
  std::ofstream(path) << std::string(200'000, 'x');
  EXPECT_EQ(read_file(path, 200'000).value().size(), 200'000u);
  const auto large = read_file(path, 199'999);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error(), (Error{Errc::resource_exhausted, "read " + path + ": it is larger than 199999 bytes"}));
  const auto folder = read_file(root_.string(), 10);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error(), (Error{Errc::invalid_argument, "read " + root_.string() + ": it is a folder"}));
  EXPECT_EQ(read_file(path + "-none", 10).error().code, Errc::not_found);
}

TEST(ErrnoTest, WhatAmdgpuAnswersWhenTheCardSleepsIsUnavailable) {
  EXPECT_EQ(errc_from_errno(EPERM), Errc::unavailable);
  EXPECT_EQ(errc_from_errno(EBUSY), Errc::unavailable);
  EXPECT_EQ(errc_from_errno(EACCES), Errc::not_permitted);
  EXPECT_EQ(errc_from_errno(ENODATA), Errc::not_supported);
  EXPECT_EQ(errc_from_errno(EIO), Errc::internal);
}

}  // namespace
}  // namespace gpukeeper
