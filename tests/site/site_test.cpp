#include "site/site.hpp"

#include <set>

#include <gmock/gmock.h>

namespace gpukeeper::site {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// printf 'hello' | gzip -9 -n
constexpr std::string_view kHello(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36"
    "\x05\x00\x00\x00",
    25);

TEST(SiteTest, AFileIsUnpackedForWhoCannot) {
  EXPECT_EQ(unpacked({"/a.txt", "text/plain", "1", kHello, 5}), "hello");
}

TEST(SiteTest, WhatIsDamagedOrOfAnotherSizeIsNothing) {
  EXPECT_EQ(unpacked({"/a.txt", "text/plain", "1", kHello, 4}), "");
  EXPECT_EQ(unpacked({"/a.txt", "text/plain", "1", kHello, 6}), "");
  EXPECT_EQ(unpacked({"/a.txt", "text/plain", "1", kHello.substr(0, 20), 5}), "");
  EXPECT_EQ(unpacked({"/a.txt", "text/plain", "1", "hello", 5}), "");
}

TEST(SiteTest, TheTypeIsThatOfTheName) {
  EXPECT_EQ(type_of("/index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(type_of("/assets/a-1.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(type_of("/assets/a-1.css"), "text/css; charset=utf-8");
  EXPECT_EQ(type_of("/assets/icon.svg"), "image/svg+xml");
  EXPECT_EQ(type_of("/assets/a"), "application/octet-stream");
}

TEST(SiteTest, ThePageIsBuiltInOrItIsSaidWhyNot) {
  const Site& site = built_in();
  if (site.files.empty()) {
    EXPECT_THAT(std::string(site.left_out), testing::Not(testing::IsEmpty()));
    return;
  }
  EXPECT_EQ(site.left_out, "");
  ASSERT_NE(site.find("/index.html"), nullptr);
  EXPECT_THAT(unpacked(*site.find("/index.html")), StartsWith("<!doctype html>"));
  EXPECT_EQ(site.find("/index.htm"), nullptr);
}

// As build_site.cmake has packed them: a browser keeps what is under /assets/ for good, so each name stands for one
// content, and the page names those that are there.
TEST(SiteTest, EveryFileIsWhole) {
  std::set<std::string_view> paths;
  for (const File& file : built_in().files) {
    EXPECT_EQ(unpacked(file).size(), file.size) << file.path;
    EXPECT_GT(file.size, 0U) << file.path;
    EXPECT_EQ(file.hash.size(), 32U) << file.path;
    EXPECT_NE(file.type, "application/octet-stream") << file.path;
    EXPECT_TRUE(paths.insert(file.path).second) << file.path;
    if (file.path == "/index.html") continue;
    EXPECT_THAT(std::string(file.path), testing::MatchesRegex("/assets/[^/]+-[A-Za-z0-9_-]{8}[.][a-z0-9]+"));
  }
}

TEST(SiteTest, ThePageLoadsItsOwnFilesOnly) {
  const File* const page = built_in().find("/index.html");
  if (!page) GTEST_SKIP() << built_in().left_out;
  const std::string text = unpacked(*page);
  EXPECT_THAT(text, HasSubstr("/assets/"));
  for (const std::string_view foreign : {"http:", "https:", "//", " style=", "<style", "onload=", "data:"}) {
    EXPECT_THAT(text, testing::Not(HasSubstr(std::string(foreign))));
  }
}

}  // namespace
}  // namespace gpukeeper::site
