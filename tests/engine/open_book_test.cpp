#include "engine/open_book.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

/// One GPU of 10,000 MiB, seen.
Reality seen() {
  Reality reality;
  DeviceReality& device = reality.devices.emplace_back();
  device.id = "GPU-a";
  device.total = 10'000_MiB;
  device.used = Bytes(0);
  device.processes.emplace();
  return reality;
}

class OpenBookTest : public testing::Test {
 protected:
  std::unique_ptr<Bookkeeper> open() { return open_book({}, &*directory_, sources_, clock_); }
  static std::size_t leases(const Bookkeeper& book) { return book.leases().size(); }

  const TemporaryFolder folder_;
  const Result<StateDirectory> directory_ = StateDirectory::claim(folder_.path().string());
  Sources sources_;  // none of a living machine
  FakeClock clock_;
};

TEST_F(OpenBookTest, WhatStandsIsThereAgain) {
  {
    const auto book = open();
    book->observe(seen());
    ASSERT_TRUE(book->reserve({.service = "embedding-service", .min = 1000_MiB}));
  }
  EXPECT_EQ(leases(*open()), 1u);
}

TEST_F(OpenBookTest, WhatIsMadeUpHasABookOfItsOwn) {
  {
    const auto book = open();
    book->observe(seen());
    ASSERT_TRUE(book->reserve({.service = "embedding-service", .min = 1000_MiB}));
  }
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "simulated" / "leases.db"));
  sources_.machine = std::make_shared<RealFiles>();
  EXPECT_EQ(leases(*open()), 0u);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "leases.db"));
}

TEST_F(OpenBookTest, WithoutADirectoryItIsKeptInMemory) {
  const auto book = open_book({}, nullptr, sources_, clock_);
  book->observe(seen());
  EXPECT_TRUE(book->reserve({.service = "embedding-service", .min = 1000_MiB}));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "simulated"));
}

TEST_F(OpenBookTest, ABookThatCannotBeOpenedGrantsNothingAndSaysWhy) {
  std::ofstream(folder_.path() / "simulated") << "a file where a folder is to be";
  const auto book = open();
  book->observe(seen());
  const std::string why = "the state directory " + (folder_.path() / "simulated").string() +
                          ": it cannot be used: Not a directory; choose another folder with --state-dir, or make it "
                          "one that this user may write";
  ASSERT_TRUE(book->closed());
  EXPECT_EQ(book->closed()->message, why);
  const auto refused = book->reserve({.service = "embedding-service", .min = 1000_MiB});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, RefusalCause::closed);
  EXPECT_EQ(refused.error().error.message, why);
  clock_.advance(std::chrono::seconds(5));
  book->tick();
  EXPECT_TRUE(book->closed());
}

}  // namespace
}  // namespace gpukeeper
