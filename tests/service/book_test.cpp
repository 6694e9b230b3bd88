#include "service/book.hpp"

#include <fstream>
#include <mutex>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_log.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class NoSignals final : public Signals {
 public:
  Result<void> send(const ProcessName&, int) override { return fail(Errc::internal, "nobody is to be signalled"); }
};

class BookTest : public testing::Test {
 protected:
  static std::shared_ptr<const Snapshot> snapshot() {
    auto result = std::make_shared<Snapshot>();
    result->devices.push_back(device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy()));
    return result;
  }
  static BookSettings settings(std::uint64_t most) {
    BookSettings settings;
    settings.devices = {{.device = "*H200*", .most = from_mib(most)}};
    return settings;
  }
  /// Once the thread has looked.
  std::optional<Bytes> capacity(std::uint64_t mib) {
    const auto other = [&] {
      const auto booked = book_.booked();
      return !booked || booked->devices[0].capacity != from_mib(mib);
    };
    static_cast<void>(clock_->wait_while(other, {}));
    return *book_.booked()->devices[0].capacity;
  }

  const std::shared_ptr<SystemClock> clock_ = std::make_shared<SystemClock>();
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{*clock_, target_};
  Book book_{settings(1000), clock_, std::make_shared<MemoryFiles>(), std::make_shared<NoSignals>(), log_};
};

TEST_F(BookTest, BeforeItIsOpenThereIsNoneAndNothingToEnd) {
  EXPECT_EQ(book_.keeper(), nullptr);
  EXPECT_EQ(book_.booked(), nullptr);
  book_.see(snapshot());
  book_.look();
  EXPECT_TRUE(book_.ended());
  EXPECT_THAT(target_->take(), IsEmpty());
}

TEST_F(BookTest, SettingsHoldWheneverTheyCome) {
  book_.configure(settings(2000));
  book_.open(nullptr, Sources());
  book_.see(snapshot());
  EXPECT_EQ(capacity(2000), 2000_MiB);
  book_.configure(settings(3000));
  EXPECT_EQ(capacity(3000), 3000_MiB);
  EXPECT_FALSE(book_.ended());
  book_.ask_to_stop();
  static_cast<void>(clock_->wait_while([&] { return !book_.ended(); }, {}));
  EXPECT_TRUE(book_.keeper());  // who asks is answered still
}

TEST_F(BookTest, OneThatIsToStopDoesNotBegin) {
  book_.ask_to_stop();
  book_.open(nullptr, Sources());
  EXPECT_TRUE(book_.ended());
}

TEST_F(BookTest, WhoMeasuresIsToldOfThoseThatWaitedTooOnceTheyAreServed) {
  using Kind = Bookkeeper::Served::Kind;
  std::mutex mutex;
  std::vector<Bookkeeper::Served> served;
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    return served.size();
  };
  book_.measure([&](const Bookkeeper::Served& each) {
    const std::scoped_lock lock(mutex);
    served.push_back(each);
  });
  book_.open(nullptr, Sources());
  book_.see(snapshot());
  ASSERT_EQ(capacity(1000), 1000_MiB);
  LeaseRequest request{.service = "embedding", .min = from_mib(800), .owner = StandingOwner{}};
  const auto first = book_.keeper()->reserve(request);
  ASSERT_TRUE(first) << first.error().text();
  request.wait = std::chrono::minutes(1);
  ASSERT_EQ(book_.keeper()->reserve(request)->state, LeaseState::waiting);
  EXPECT_EQ(count(), 1u);
  ASSERT_TRUE(book_.keeper()->release(first->id));
  static_cast<void>(clock_->wait_while([&] { return count() < 3; }, {}));
  const std::scoped_lock lock(mutex);
  std::vector<Kind> kinds;
  for (const auto& each : served) kinds.push_back(each.kind);
  EXPECT_THAT(kinds, testing::UnorderedElementsAre(Kind::granted, Kind::granted, Kind::released));
  EXPECT_EQ(served.back().service, "embedding");
  EXPECT_THAT(served.back().devices, ElementsAre("GPU-a"));
}

TEST_F(BookTest, ABookThatGrantsNothingIsSaidOnce) {
  const TemporaryFolder folder;
  const auto state = StateDirectory::claim(folder.path().string());
  std::ofstream(folder.path() / "simulated") << "a file where a folder is to be";
  book_.open(&*state, Sources());
  book_.see(snapshot());
  static_cast<void>(clock_->wait_while([&] { return book_.booked() == nullptr; }, {}));
  book_.look();
  book_.look();
  EXPECT_THAT(target_->take(),
              ElementsAre("error: no leases are granted: the state directory " + folder.path().string() +
                          "/simulated: it cannot be used: Not a directory; choose another folder with --state-dir, "
                          "or make it one that this user may write"));
}

}  // namespace
}  // namespace gpukeeper::service
