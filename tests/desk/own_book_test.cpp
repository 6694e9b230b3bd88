#include "desk/own_book.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/state_dir.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::desk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Snapshot one_gpu(std::uint64_t sequence = 1) {
  Snapshot snapshot;
  snapshot.sequence = sequence;
  DeviceSnapshot d = device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy());
  d.reading.memory_total = 10'000_MiB;
  d.reading.memory_used = Bytes(0);
  snapshot.devices.push_back(std::move(d));
  return snapshot;
}

/// Books of one state directory, as several processes would have them.
class OwnBookTest : public testing::Test {
 protected:
  OwnBook::Place place(bool stays_open = true) {
    return {.folder = (folder_.path() / "state").string(),
            .machine = nullptr,
            .stays_open = stays_open,
            .lock_patience = 0ns,
            .opened = [this](Bookkeeper&) { ++openings_; }};
  }
  static LeaseId book(OwnBook& own, const std::string& name) {
    LeaseId id{};
    const auto done = own.with(one_gpu(), [&](const StateDirectory*, Bookkeeper& book) {
      const auto booking = book.reserve(
          {.service = "training", .name = name, .min = 1_MiB, .owner = StandingOwner{}, .device = "GPU-a"});
      EXPECT_TRUE(booking) << booking.error().text();
      if (booking) id = booking->id;
    });
    EXPECT_TRUE(done) << done.error().message;
    return id;
  }
  static std::vector<std::string> names(OwnBook& own) {
    std::vector<std::string> result;
    const auto done = own.with(one_gpu(), [&](const StateDirectory*, Bookkeeper& book) {
      for (const Lease& lease : book.leases()) result.push_back(lease.name);
    });
    EXPECT_TRUE(done) << done.error().message;
    return result;
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  int openings_ = 0;
};

TEST_F(OwnBookTest, StaysOpenAndSeesWhatAnotherWrote) {
  OwnBook ours(place(), {}, clock_);
  OwnBook theirs(place(), {}, clock_);
  book(ours, "a");
  book(ours, "b");
  EXPECT_EQ(openings_, 1);
  EXPECT_THAT(names(theirs), ElementsAre("a", "b"));
  book(theirs, "c");
  EXPECT_EQ(openings_, 2);
  EXPECT_THAT(names(ours), ElementsAre("a", "b", "c")) << "it was opened anew";
  EXPECT_EQ(openings_, 3);
  EXPECT_THAT(names(ours), ElementsAre("a", "b", "c"));
  EXPECT_EQ(openings_, 3);
}

TEST_F(OwnBookTest, IsOpenedForEachPieceOfWorkUnlessItStaysOpen) {
  OwnBook ours(place(false), {}, clock_);
  book(ours, "a");
  EXPECT_THAT(names(ours), ElementsAre("a"));
  EXPECT_EQ(openings_, 2);
}

TEST_F(OwnBookTest, AFileThatWasPutInItsPlaceIsNoticed) {
  OwnBook ours(place(), {}, clock_);
  book(ours, "a");
  const auto file = folder_.path() / "state" / "simulated" / "leases.db";
  ASSERT_TRUE(std::filesystem::exists(file));
  for (const char* end : {"", "-wal", "-shm", ".good"}) std::filesystem::remove(file.string() + end);
  EXPECT_THAT(names(ours), IsEmpty()) << "what is gone is not remembered, and nothing is written where nobody looks";
}

TEST_F(OwnBookTest, WhoKeepsTheLockIsNamed) {
  OwnBook ours(place(), {}, clock_);
  const auto daemon = StateDirectory::claim((folder_.path() / "state").string());
  ASSERT_TRUE(daemon);
  const auto done = ours.with(one_gpu(), [](const StateDirectory*, Bookkeeper&) { FAIL(); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_EQ(done.error().message,
            fmt::format("the state directory {} is in use by process {}: stop that one, or choose another folder with "
                        "--state-dir; if that is 'gpukeeper serve', say with --host where it listens, as it keeps the "
                        "ledger",
                        (folder_.path() / "state").string(), ::getpid()));
}

TEST_F(OwnBookTest, ADirectoryThatIsNotKnownIsSaidWhenItIsNeeded) {
  auto nowhere = place();
  nowhere.folder = tl::make_unexpected(Error{Errc::invalid_argument, "there is no state directory"});
  OwnBook ours(std::move(nowhere), {}, clock_);
  const auto done = ours.with(one_gpu(), [](const StateDirectory*, Bookkeeper&) { FAIL(); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "there is no state directory");
}

TEST_F(OwnBookTest, InMemoryItIsNobodyElses) {
  auto memory = place();
  memory.folder = std::string();
  OwnBook ours(memory, {}, clock_);
  OwnBook theirs(memory, {}, clock_);
  book(ours, "a");
  EXPECT_THAT(names(ours), ElementsAre("a"));
  EXPECT_THAT(names(theirs), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "state"));
}

TEST_F(OwnBookTest, WhileItIsPausedTheFileIsClosed) {
  OwnBook ours(place(), {}, clock_);
  book(ours, "a");
  const auto log = folder_.path() / "state" / "simulated" / "leases.db-wal";
  EXPECT_TRUE(std::filesystem::exists(log));
  ours.pause();
  EXPECT_FALSE(std::filesystem::exists(log)) << "the last connection takes its log away";
  ours.resume();
  EXPECT_THAT(names(ours), ElementsAre("a"));
}

TEST_F(OwnBookTest, TheDriversAreToldOfOncePerLook) {
  int looks = 0;
  auto counting = place();
  counting.observed = [&](const Ledger&, const Snapshot&) { ++looks; };
  OwnBook ours(std::move(counting), {}, clock_);
  const auto nothing = [](const StateDirectory*, Bookkeeper&) {};
  ASSERT_TRUE(ours.with(one_gpu(1), nothing));
  ASSERT_TRUE(ours.with(one_gpu(1), nothing));
  ASSERT_TRUE(ours.with(one_gpu(2), nothing));
  EXPECT_EQ(looks, 2);
}

}  // namespace
}  // namespace gpukeeper::desk
