#include "machine/machine_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_kernel_calls.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

// Its processors are half busy, and lo receives 1000 bytes with every look.
class CountingFiles final : public Files {
 public:
  Result<std::string> read(std::string_view path) const override {
    if (path == "/proc/stat") {
      ++looks;
      return fmt::format("cpu  {} 0 0 {} 0 0 0 0\n", 100 * looks, 100 * looks);
    }
    if (path == "/proc/net/dev") return fmt::format("lo: {} 0 0 0 0 0 0 0 0 0\n", 1000 * looks);
    return files.read(path);
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override { return files.list(folder); }
  Result<std::string> read_link(std::string_view path) const override { return files.read_link(path); }

  mutable int looks = 0;
  MemoryFiles files;
};

class MachineReaderTest : public testing::Test {
 protected:
  std::optional<double> received() { return reader_.facts()->network.interfaces.at(0).received_bytes_per_second; }

  const std::shared_ptr<CountingFiles> files_ = std::make_shared<CountingFiles>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  MachineReader reader_{files_, std::make_shared<FakeKernelCalls>(), clock_,
                        std::make_shared<const Classifier>(Classifier::built_in())};
};

TEST_F(MachineReaderTest, TheFirstWhoAsksWaitsForASecondLook) {
  const auto begin = clock_->now();
  EXPECT_THAT(received(), Optional(4000.0));
  EXPECT_EQ(clock_->now() - begin, 250ms);
  EXPECT_THAT(reader_.facts()->processors.usage, Optional(Percent(50)));
}

TEST_F(MachineReaderTest, WhoAsksAgainAtOnceGetsTheSame) {
  const auto first = reader_.facts();
  clock_->advance(999ms);
  EXPECT_EQ(reader_.facts(), first);
  EXPECT_EQ(files_->looks, 2);
}

TEST_F(MachineReaderTest, RatesAreOfTheTimeSinceTheLookBefore) {
  static_cast<void>(received());
  clock_->advance(5s);
  EXPECT_THAT(received(), Optional(200.0));
  EXPECT_EQ(files_->looks, 3);
}

TEST_F(MachineReaderTest, ALookThatIsLongAgoSaysNothingOfNow) {
  static_cast<void>(received());
  clock_->advance(10min);
  EXPECT_THAT(received(), Optional(4000.0));
  EXPECT_EQ(files_->looks, 4);
}

TEST_F(MachineReaderTest, WithoutAnyFileEverythingIsAbsent) {
  MachineReader reader(std::make_shared<MemoryFiles>(), std::make_shared<FakeKernelCalls>(), clock_,
                       std::make_shared<const Classifier>(Classifier::built_in()));
  const auto facts = reader.facts();
  EXPECT_EQ(facts->processors.usage, std::nullopt);
  EXPECT_FALSE(facts->memory);
  EXPECT_TRUE(facts->disks.empty());
  EXPECT_TRUE(facts->network.interfaces.empty());
  EXPECT_EQ(facts->network.connections, std::nullopt);
  EXPECT_EQ(facts->processes.count, 0u);
}

TEST(RealKernelCallsTest, TheRootHasRoomAndNothingElseSaysWhy) {
  const RealKernelCalls calls;
  const auto space = calls.space("/");
  ASSERT_TRUE(space) << space.error().message;
  EXPECT_GT(space->total, Bytes(0));
  const auto none = calls.space("/no/such/place");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "statvfs /no/such/place: No such file or directory");
  EXPECT_EQ(none.error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper
