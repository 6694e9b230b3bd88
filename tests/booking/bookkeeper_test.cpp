#include "booking/bookkeeper.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_journal.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The processes of a made-up machine. Threads: any, as an OwnerWatch asks for.
class Processes {
 public:
  class Watch final : public OwnerWatch {
   public:
    explicit Watch(Processes& processes) : processes_(processes) {}
    ~Watch() override { on_gone(nullptr); }
    void on_gone(Gone gone) override {
      std::scoped_lock lock(processes_.mutex_);
      processes_.gone_ = std::move(gone);
    }
    bool watch(const ProcessOwner& owner) override {
      std::scoped_lock lock(processes_.mutex_);
      if (processes_.dies_when_watched_ == owner.pid && processes_.watched_.contains(owner)) {
        processes_.dies_when_watched_ = 0;
        processes_.dead_.insert(owner);
        return false;
      }
      if (processes_.dead_.contains(owner)) return false;
      processes_.watched_.insert(owner);
      return true;
    }
    void keep_only(const std::vector<ProcessOwner>& owners) override {
      std::scoped_lock lock(processes_.mutex_);
      std::erase_if(processes_.watched_, [&](const ProcessOwner& o) { return !std::ranges::binary_search(owners, o); });
    }

   private:
    Processes& processes_;
  };

  void die(const ProcessOwner& owner) {
    OwnerWatch::Gone gone;
    {
      std::scoped_lock lock(mutex_);
      dead_.insert(owner);
      if (watched_.erase(owner) > 0) gone = gone_;
    }
    if (gone) gone(owner);
  }
  /// It is alive when it is watched first, and gone when it is asked about again; nobody is told.
  void die_between(std::int64_t pid) {
    std::scoped_lock lock(mutex_);
    dies_when_watched_ = pid;
  }
  std::set<ProcessOwner> watched() const {
    std::scoped_lock lock(mutex_);
    return watched_;
  }

 private:
  mutable std::mutex mutex_;
  OwnerWatch::Gone gone_;  // this and all below guarded by mutex_
  std::set<ProcessOwner> watched_;
  std::set<ProcessOwner> dead_;
  std::int64_t dies_when_watched_ = 0;
};

class BookkeeperTest : public testing::Test {
 protected:
  void start(const std::string& boot_id = "boot-1") {
    keeper_.reset();
    keeper_ = begin(boot_id);
  }
  std::unique_ptr<Bookkeeper> begin(const std::string& boot_id) {
    LedgerSettings settings;
    settings.limit.headroom = Bytes(0);
    auto keeper = Bookkeeper::open(settings, {.clock = clock_,
                                              .journal = std::make_unique<MemoryJournal>(disk_, boot_id),
                                              .owners = std::make_unique<Processes::Watch>(processes_),
                                              .boot_id = boot_id});
    EXPECT_TRUE(keeper) << keeper.error().message;
    return std::move(*keeper);
  }
  void look() { keeper_->observe(reality_); }
  void start_and_look(const std::string& boot_id = "boot-1") {
    start(boot_id);
    look();
  }
  static LeaseRequest request(std::uint64_t mib) {
    LeaseRequest request;
    request.service = "embedding";
    request.min = from_mib(mib);
    return request;
  }
  static LeaseRequest of_process(std::int64_t pid, std::uint64_t mib) {
    LeaseRequest r = request(mib);
    r.owner = ProcessOwner{pid, 7};
    return r;
  }
  LeaseId book(const LeaseRequest& r) {
    const auto booking = keeper_->reserve(r);
    EXPECT_TRUE(booking) << booking.error().text();
    return booking ? booking->id : LeaseId{};
  }
  std::string refusal(const LeaseRequest& r) {
    const auto booking = keeper_->reserve(r);
    return booking ? "" : booking.error().text();
  }
  std::uint64_t available() const {
    std::uint64_t mib = 0;
    keeper_->look([&](const Ledger& ledger) { mib = ledger.devices()[0].available().value().value() >> 20; });
    return mib;
  }
  std::vector<std::uint64_t> on_disk() const {
    std::vector<std::uint64_t> ids;
    for (const KeptLease& kept : disk_->memory.leases) ids.push_back(number(kept.lease.id));
    return ids;
  }
  static Reality one_gpu(std::uint64_t mib) {
    Reality reality;
    DeviceReality& device = reality.devices.emplace_back();
    device.id = "GPU-0";
    device.total = from_mib(mib);
    device.used = Bytes(0);
    device.processes.emplace();
    return reality;
  }

  FakeClock clock_;
  std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
  Processes processes_;
  Reality reality_ = one_gpu(8192);
  std::unique_ptr<Bookkeeper> keeper_;
};

TEST_F(BookkeeperTest, WhatIsAnsweredIsWritten) {
  start_and_look();
  const LeaseId id = book(request(1000));
  EXPECT_THAT(on_disk(), ElementsAre(number(id)));
  keeper_->release(id).value();
  EXPECT_THAT(on_disk(), IsEmpty());
  EXPECT_THAT(disk_->memory.history, SizeIs(1));
}

TEST_F(BookkeeperTest, ItIsQuickAsLongAsTheDiskIsAndNobodyElseIsAtIt) {
  start_and_look();
  EXPECT_FALSE(keeper_->is_quick()) << "nobody knows yet";
  book(of_process(10, 100));  // flushes, with the first of the ids that may be given out now
  EXPECT_FALSE(keeper_->is_quick());
  bool meanwhile = true;
  disk_->on_write = [&] { meanwhile = keeper_->is_quick(); };
  book(of_process(10, 100));
  EXPECT_TRUE(keeper_->is_quick());
  EXPECT_FALSE(meanwhile);

  disk_->on_write = [&] { clock_.advance(20ms); };
  book(request(100));
  EXPECT_TRUE(keeper_->is_quick()) << "a flush takes its time";
  book(of_process(10, 100));
  EXPECT_FALSE(keeper_->is_quick());
  disk_->on_write = nullptr;
  book(of_process(10, 100));
  EXPECT_TRUE(keeper_->is_quick());

  disk_->fails = Error{Errc::internal, "the disk is gone"};
  refusal(of_process(10, 100));
  EXPECT_FALSE(keeper_->is_quick());
}

TEST_F(BookkeeperTest, WhoMeasuresIsToldOfEverybodyWhoWasServed) {
  start();
  std::vector<Bookkeeper::Served> served;
  keeper_->measure([&](const Bookkeeper::Served& each) { served.push_back(each); });
  look();
  using Kind = Bookkeeper::Served::Kind;
  const auto granted = keeper_->reserve(request(1000));
  ASSERT_TRUE(granted);
  LeaseRequest too_much = request(1'000'000);
  too_much.device = "GPU-0";
  EXPECT_FALSE(keeper_->reserve(too_much));
  ASSERT_TRUE(keeper_->release(granted->id));
  ASSERT_TRUE(keeper_->release(granted->id)) << "it was over before: nobody is told";
  ASSERT_EQ(served.size(), 3u);
  EXPECT_EQ(served[0].kind, Kind::granted);
  EXPECT_EQ(served[0].service, "embedding");
  EXPECT_THAT(served[0].devices, ElementsAre("GPU-0"));
  EXPECT_EQ(served[1].kind, Kind::refused);
  EXPECT_THAT(served[1].devices, ElementsAre("GPU-0"));
  EXPECT_EQ(served[2].kind, Kind::released);
  EXPECT_EQ(served[2].service, "embedding");
  EXPECT_EQ(served[2].devices, served[0].devices);
}

TEST_F(BookkeeperTest, WhoWaitsIsNotServedYet) {
  start();
  int served = 0;
  keeper_->measure([&](const Bookkeeper::Served&) { ++served; });
  look();
  ASSERT_TRUE(keeper_->reserve(request(5'000)));
  LeaseRequest patient = request(5'000);
  patient.wait = 10s;
  const auto waiting = keeper_->reserve(patient);
  ASSERT_TRUE(waiting);
  ASSERT_EQ(waiting->state, LeaseState::waiting);
  EXPECT_EQ(served, 1);
}

TEST_F(BookkeeperTest, ALifetimeGoesOnOverRestarts) {
  start_and_look();
  LeaseRequest r = request(1000);
  r.lifetime = 60s;
  const LeaseId id = book(r);
  const auto state = [&] {
    start_and_look();  // as a command does without a daemon
    keeper_->tick();
    look();  // what ended drains until it is seen that nothing of it is in use
    return keeper_->wait_while(id, LeaseState::waiting, clock_.now());
  };
  clock_.advance(40s);
  EXPECT_EQ(state(), LeaseState::starting);
  clock_.advance(19s);
  EXPECT_EQ(state(), LeaseState::starting);
  clock_.advance(1s);
  EXPECT_EQ(state(), LeaseState::ended);
}

TEST_F(BookkeeperTest, AWallClockThatIsSetBackGivesALifetimeOnceMoreAndNoLonger) {
  start_and_look();
  LeaseRequest r = request(1000);
  r.lifetime = 60s;
  const LeaseId id = book(r);
  clock_.set_wall(clock_.wall() - 1h);
  start_and_look();
  clock_.advance(61s);
  keeper_->tick();
  look();
  EXPECT_EQ(keeper_->wait_while(id, LeaseState::waiting, clock_.now()), LeaseState::ended);
}

TEST_F(BookkeeperTest, WhatBelongsToAProcessIsWrittenWhatStandsIsFlushed) {
  start_and_look();
  book(of_process(10, 100));  // with the first of the ids that may be given out now
  const int flushes = disk_->flushes;
  const LeaseId bound = book(of_process(10, 100));
  EXPECT_EQ(disk_->flushes, flushes);
  const LeaseId standing = book(request(100));
  EXPECT_EQ(disk_->flushes, flushes + 1);
  keeper_->release(bound).value();
  EXPECT_EQ(disk_->flushes, flushes + 1);
  keeper_->release(standing).value();
  EXPECT_EQ(disk_->flushes, flushes + 2);
}

TEST_F(BookkeeperTest, ARestartKnowsAllLeasesAndGrantsNothingBeforeTheGpusWereLookedAt) {
  start_and_look();
  const LeaseId standing = book(request(1000));
  const LeaseId bound = book(of_process(10, 2000));
  start();
  EXPECT_EQ(refusal(request(1)), "the GPUs have not been looked at since the start; ask again in a second");
  EXPECT_THAT(keeper_->leases(), SizeIs(2));
  look();
  EXPECT_EQ(available(), 8192u - 3000);
  EXPECT_GT(book(request(1)), std::max(standing, bound));
}

TEST_F(BookkeeperTest, WhoDiedWhileNobodyLookedHasNoLeaseAfterTheRestart) {
  start_and_look();
  book(request(1000));
  book(of_process(10, 2000));
  keeper_.reset();
  processes_.die({10, 7});
  start_and_look();
  look();
  EXPECT_EQ(available(), 7192u);
  EXPECT_THAT(on_disk(), ElementsAre(1));
  EXPECT_EQ(disk_->memory.history.back().reason, EndReason::owner_died);
}

TEST_F(BookkeeperTest, ABootEndsWhatBelongedToProcessesAndSkipsTheIdsThatMayHaveBeenLost) {
  start_and_look();
  book(request(1000));
  book(of_process(10, 2000));
  start_and_look("boot-2");
  EXPECT_EQ(available(), 7192u);
  EXPECT_GE(book(request(1)), LeaseId{1000});
  EXPECT_THAT(on_disk(), SizeIs(2));
  EXPECT_EQ(disk_->memory.history.back().reason, EndReason::rebooted);
}

TEST_F(BookkeeperTest, TheDeathOfAProcessEndsItsLeases) {
  start_and_look();
  book(of_process(10, 2000));
  book(of_process(10, 1000));
  EXPECT_THAT(processes_.watched(), SizeIs(1));  // one watch a process, not a lease
  processes_.die({10, 7});
  look();
  EXPECT_EQ(available(), 8192u);
}

TEST_F(BookkeeperTest, WhoIsGoneGetsNothingAlsoWhenHeDiedJustNow) {
  start_and_look();
  processes_.die({10, 7});
  EXPECT_EQ(refusal(of_process(10, 100)), "process 10, which is to own the lease, is gone");
  processes_.die_between(11);
  EXPECT_EQ(refusal(of_process(11, 100)), "process 11, which is to own the lease, is gone");
  look();
  EXPECT_EQ(available(), 8192u);
}

TEST_F(BookkeeperTest, WhoOwnsNothingAnyMoreIsNotWatchedForLong) {
  start_and_look();
  keeper_->release(book(of_process(10, 100))).value();
  clock_.advance(11s);
  keeper_->tick();
  EXPECT_THAT(processes_.watched(), IsEmpty());
}

TEST_F(BookkeeperTest, AFullDiskRefusesWhatMustBeKeptAndEverythingElseGoesOn) {
  start_and_look();
  const LeaseId standing = book(request(1000));
  const LeaseId bound = book(of_process(10, 2000));
  book(of_process(11, 500));
  disk_->fails = Error{Errc::resource_exhausted, "the disk is full"};
  EXPECT_EQ(refusal(request(1)), "the disk is full");
  EXPECT_EQ(keeper_->release(standing).error().message, "the disk is full");
  EXPECT_EQ(keeper_->release(bound)->state, LeaseState::ended);
  processes_.die({11, 7});
  look();
  EXPECT_EQ(available(), 7192u);
  EXPECT_THAT(on_disk(), ElementsAre(1, 2, 3));

  disk_->fails.reset();
  EXPECT_EQ(refusal(request(1)), "the disk is full");  // it is tried again once a second
  clock_.advance(1s);
  keeper_->tick();
  EXPECT_THAT(on_disk(), ElementsAre(1));
  EXPECT_EQ(keeper_->closed(), std::nullopt);
  book(request(1));
}

TEST_F(BookkeeperTest, WhatCouldNotBeKeptNeverHappened) {
  start_and_look();
  disk_->fails = Error{Errc::internal, "the disk is broken"};
  EXPECT_EQ(refusal(request(1000)), "the disk is broken");
  EXPECT_THAT(keeper_->leases(), IsEmpty());
  EXPECT_EQ(available(), 8192u);
}

TEST_F(BookkeeperTest, ADamagedJournalIsShownAndNothingIsGranted) {
  start_and_look();
  const LeaseId id = book(request(1000));
  disk_->damage = Error{Errc::internal, "the leases are damaged"};
  start_and_look();
  EXPECT_THAT(keeper_->leases(), SizeIs(1));
  EXPECT_EQ(refusal(request(1)), "the leases are damaged");
  EXPECT_EQ(keeper_->release(id).error().message, "the leases are damaged");
  clock_.advance(5s);
  keeper_->tick();
  EXPECT_EQ(keeper_->closed()->message, "the leases are damaged");
}

TEST_F(BookkeeperTest, WhoWaitsIsToldWhenItIsHis) {
  start_and_look();
  const LeaseId first = book(request(8000));
  LeaseRequest r = request(8000);
  r.wait = 30s;
  const LeaseId second = book(r);
  std::vector<LeaseId> told;
  keeper_->listen([&](const LedgerEvent& event, const Lease& lease) {
    EXPECT_EQ(event.kind, LedgerEvent::Kind::granted);
    EXPECT_EQ(lease.state, LeaseState::starting);
    told.push_back(event.id);
  });
  EXPECT_EQ(keeper_->wait_while(second, LeaseState::waiting, clock_.now()), LeaseState::waiting);
  std::jthread releases([&] { keeper_->release(first).value(); });
  EXPECT_EQ(keeper_->wait_while(second, LeaseState::waiting, MonotonicTime::max()), LeaseState::starting);
  EXPECT_THAT(told, ElementsAre(second));
}

// The process is killed after each write in turn: what was acknowledged is there after the restart, what was not is
// there or not, and nothing is there twice.
TEST_F(BookkeeperTest, NoAcknowledgedLeaseIsLostOrDoubledWhereverItIsKilled) {
  for (int writes = 0;; ++writes) {
    disk_ = std::make_shared<JournalDisk>();
    disk_->fails_after = writes;
    std::map<LeaseId, Bytes> acknowledged;
    bool killed = false;
    start_and_look();
    for (int step = 0; step < 12; ++step) {
      const int before = disk_->writes;
      if (step % 3 == 2) {
        const LeaseId id = acknowledged.begin() == acknowledged.end() ? LeaseId{} : acknowledged.begin()->first;
        if (keeper_->release(id)) acknowledged.erase(id);
      } else {
        LeaseRequest r = request(100 + static_cast<std::uint64_t>(step));
        r.request_id = std::to_string(step);
        const auto booking = keeper_->reserve(r);
        if (booking) acknowledged.insert_or_assign(booking->id, r.min);
      }
      killed = disk_->writes == before;
      if (killed) break;
    }
    disk_->fails_after = -1;
    start_and_look();
    std::map<LeaseId, Bytes> found;
    std::uint64_t sum = 0;
    for (const Lease& lease : keeper_->leases()) {
      found.insert_or_assign(lease.id, lease.min);
      sum += lease.min.value() >> 20;
    }
    EXPECT_EQ(found, acknowledged) << writes;
    EXPECT_EQ(available(), 8192 - sum) << writes;
    if (!killed) {
      EXPECT_GT(writes, 8);
      break;
    }
  }
}

TEST_F(BookkeeperTest, ThirtyTwoThreadsGetNoMoreThanThereIsAndAllComesBack) {
  constexpr int kThreads = 32;
  constexpr int kOperations = 10'000;
  start_and_look();
  std::atomic<std::uint64_t> held = 0;
  std::atomic<std::uint64_t> most = 0;
  std::atomic<int> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::vector<std::pair<LeaseId, std::uint64_t>> mine;
        std::uint32_t dice = static_cast<std::uint32_t>(t) + 1;
        const auto give_back = [&] {
          const auto [id, mib] = mine.back();
          mine.pop_back();
          held -= mib;
          EXPECT_FALSE(keeper_->release(id)->already);
        };
        for (int i = 0; i < kOperations; ++i) {
          dice = dice * 1664525 + 1013904223;
          if (mine.size() > 3 || (dice >> 16) % 2 == 0) {
            if (!mine.empty()) give_back();
            continue;
          }
          const std::uint64_t mib = (dice >> 20) % 200 + 1;
          const auto booking = keeper_->reserve(of_process(t + 1, mib));
          if (!booking) continue;
          ++granted;
          mine.emplace_back(booking->id, mib);
          const std::uint64_t now = held += mib;
          for (std::uint64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
        }
        while (!mine.empty()) give_back();
      });
    }
  }
  EXPECT_GT(granted, 1000);
  EXPECT_LE(most, 8192u);
  EXPECT_GT(most, 4096u);
  EXPECT_EQ(available(), 8192u);
  EXPECT_THAT(keeper_->leases(), IsEmpty());
  EXPECT_THAT(on_disk(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper
