#include "recording/rotating_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <csignal>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper::recording {
namespace {

using namespace std::chrono_literals;

class RotatingFileTest : public ::testing::Test {
 protected:
  RotatingFile create(RotatingFile::Options options) {
    options.path = path("m.csv");
    auto file = RotatingFile::create(std::move(options));
    EXPECT_TRUE(file) << file.error().message;
    return *std::move(file);
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      result.push_back(entry.path().filename().string());
    }
    std::ranges::sort(result);
    return result;
  }
  // A line with a head in front of it where a file begins.
  void add(RotatingFile& file, const std::string& line, MonotonicTime now = {}) {
    const auto empty = file.make_room(line.size(), now);
    ASSERT_TRUE(empty) << empty.error().message;
    ASSERT_TRUE(file.write((*empty ? "head\n" : "") + line));
  }

  const TemporaryFolder folder;
};

TEST_F(RotatingFileTest, WithoutALimitItIsOneFile) {
  auto file = create({});
  for (int i = 0; i < 100; ++i) add(file, "line\n");
  ASSERT_TRUE(file.close());
  EXPECT_EQ(file.files(), 1u);
  EXPECT_EQ(file.bytes(), 505u);
  EXPECT_EQ(names(), std::vector<std::string>{"m.csv"});
}

TEST_F(RotatingFileTest, NoFileGrowsBeyondItsSizeAndTheOldestGoes) {
  auto file = create({.size = 20, .keep = 2});
  for (int i = 0; i < 9; ++i) add(file, "line" + std::to_string(i) + "\n");
  ASSERT_TRUE(file.close());
  EXPECT_EQ(names(), (std::vector<std::string>{"m.1.csv", "m.2.csv", "m.csv"}));
  EXPECT_EQ(content("m.csv"), "head\nline8\n");
  EXPECT_EQ(content("m.1.csv"), "head\nline6\nline7\n");
  EXPECT_EQ(content("m.2.csv"), "head\nline4\nline5\n");
  EXPECT_EQ(file.files(), 5u);
}

TEST_F(RotatingFileTest, ALineThatIsTooLargeHasAFileOfItsOwn) {
  auto file = create({.size = 3});
  add(file, "a long line\n");
  add(file, "b long line\n");
  ASSERT_TRUE(file.close());
  EXPECT_EQ(content("m.csv"), "head\nb long line\n");
  EXPECT_EQ(content("m.1.csv"), "head\na long line\n");
}

TEST_F(RotatingFileTest, AFileEndsWhenItIsOldEnough) {
  auto file = create({.every = 1h});
  const MonotonicTime begin{5h};
  add(file, "a\n", begin);
  add(file, "b\n", begin + 59min);
  add(file, "c\n", begin + 60min);
  add(file, "d\n", begin + 119min);
  ASSERT_TRUE(file.close());
  EXPECT_EQ(content("m.1.csv"), "head\na\nb\n");
  EXPECT_EQ(content("m.csv"), "head\nc\nd\n");
}

TEST_F(RotatingFileTest, EndedFilesArePackedAndStayReadable) {
  auto file = create({.size = 20, .keep = 2, .pack = true});
  for (int i = 0; i < 9; ++i) add(file, "line" + std::to_string(i) + "\n");
  ASSERT_TRUE(file.close());
  EXPECT_EQ(names(), (std::vector<std::string>{"m.1.csv.gz", "m.2.csv.gz", "m.csv"}));
  ASSERT_EQ(std::system(("gzip -dc '" + path("m.2.csv.gz") + "' >'" + path("text") + "'").c_str()), 0);
  EXPECT_EQ(content("text"), "head\nline4\nline5\n");
}

TEST_F(RotatingFileTest, WhatIsThereIsNotOverwritten) {
  std::ofstream(path("m.csv")) << "precious";
  const auto file = RotatingFile::create({.path = path("m.csv")});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, path("m.csv") + " is there already; --force overwrites it");
  EXPECT_EQ(content("m.csv"), "precious");
}

TEST_F(RotatingFileTest, AFullDiskIsAnErrorThatNamesTheFile) {
  auto file = create({});
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 10;
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto written = file.write("more than ten bytes");
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), (Error{Errc::resource_exhausted, "write " + path("m.csv") + ": File too large"}));
}

}  // namespace
}  // namespace gpukeeper::recording
