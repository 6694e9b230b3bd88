#include "reclaim/holder_book.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

namespace gpukeeper::reclaim {
namespace {

Lease lease(std::uint64_t id, std::uint64_t mib) {
  Lease l;
  l.id = LeaseId{id};
  l.min = from_mib(mib);
  l.max = from_mib(2 * mib);
  return l;
}

Holder ollama() {
  Holder h;
  h.kind = HolderKind::ollama;
  h.url = "http://127.0.0.1:11434";
  return h;
}

TEST(HolderBookTest, PartsAreNeverAboveTheLease) {
  HolderBook book;
  EXPECT_TRUE(book.set_part(lease(7, 1000), "weights", 600_MiB));
  EXPECT_TRUE(book.set_part(lease(7, 1000), "cache", 400_MiB));
  EXPECT_EQ(book.set_part(lease(7, 1000), "more", 1_MiB).error().message,
            "part more asks for 1 MiB, and of the 1000 MiB of lease 7 0 MiB are left");
  EXPECT_TRUE(book.set_part(lease(7, 1000), "weights", 500_MiB)) << "a part is set anew, not added";
  EXPECT_TRUE(book.set_part(lease(7, 1000), "more", 100_MiB));
  EXPECT_EQ(sum_of(book.parts(LeaseId{7})), 1000_MiB);
  EXPECT_TRUE(book.remove_part(LeaseId{7}, "more").value());
  EXPECT_FALSE(book.remove_part(LeaseId{7}, "more").value());
}

TEST(HolderBookTest, ALeaseThatShrankTakesNoMoreParts) {
  HolderBook book;
  EXPECT_TRUE(book.set_part(lease(7, 1000), "weights", 600_MiB));
  EXPECT_EQ(book.set_part(lease(7, 500), "cache", 1_MiB).error().code, Errc::resource_exhausted);
  EXPECT_EQ(book.parts(LeaseId{7}).size(), 1u);
}

TEST(HolderBookTest, NamesOfPartsAreHarmless) {
  HolderBook book;
  for (const char* name : {"", "a\nb", "\x1b[31m", "\xff"}) {
    EXPECT_EQ(book.set_part(lease(7, 1000), name, 1_MiB).error().message,
              "the name of a part has 1 to 256 bytes of UTF-8 without control characters");
  }
}

TEST(HolderBookTest, WhatWasWrittenOutlivesTheProcess) {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "holders.json").string();
  {
    HolderBook book;
    book.open(path);
    EXPECT_TRUE(book.set_holder(LeaseId{7}, ollama()));
    EXPECT_TRUE(book.set_part(lease(8, 1000), "weights \"x\"", 600_MiB));
  }
  HolderBook book;
  book.open(path);
  EXPECT_EQ(book.holder(LeaseId{7}), ollama());
  EXPECT_EQ(book.parts(LeaseId{8}), (Parts{{"weights \"x\"", 600_MiB}}));
  const auto mode = std::filesystem::status(path).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  book.keep_only({LeaseId{8}});
  EXPECT_EQ(book.holder(LeaseId{7}), std::nullopt);
}

TEST(HolderBookTest, ADamagedFileIsLeftAsItIs) {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "holders.json").string();
  for (const char* text : {"", "{", "[]", R"({"schema": "gpukeeper.holders/1", "leases": [{"id": 7}]})",
                           R"({"schema": "gpukeeper.holders/1", "leases": [{"id": "7", "holder": {"kind": 1}}]})",
                           R"({"schema": "gpukeeper.holders/1", "leases": [{"id": "7", "parts": [-1]}]})"}) {
    std::ofstream(path, std::ios::trunc) << text;
    HolderBook book;
    book.open(path);
    EXPECT_EQ(book.set_holder(LeaseId{7}, ollama()).error().message,
              path + " is no list of holders of gpukeeper's; move it away to begin a new one");
    std::ifstream file(path);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
  }
}

TEST(HolderBookTest, WhatTheDiskDoesNotTakeIsNotBelieved) {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "holders.json").string();
  HolderBook book;
  book.open(path);
  EXPECT_TRUE(book.set_holder(LeaseId{7}, ollama()));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);  // nothing can be renamed onto a folder
  EXPECT_FALSE(book.set_holder(LeaseId{8}, ollama()));
  EXPECT_EQ(book.holder(LeaseId{8}), std::nullopt);
  EXPECT_FALSE(book.remove_holder(LeaseId{7}));
  EXPECT_EQ(book.holder(LeaseId{7}), ollama());
}

}  // namespace
}  // namespace gpukeeper::reclaim
