#include "booking/housekeeping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A GPU of 10,000 MiB whose driver lists what a test puts there, and its book.
class HousekeepingTest : public testing::Test {
 protected:
  HousekeepingTest() { open(); }

  void open() {
    LedgerSettings settings;
    settings.limit.headroom = Bytes(0);
    book_ = Bookkeeper::open(settings, {.clock = *clock_,
                                        .journal = std::make_unique<MemoryJournal>(disk_, "boot"),
                                        .owners = nullptr,
                                        .boot_id = "boot"})
                .value();
    keeper_ = std::make_unique<Housekeeping>(*book_, clock_);
  }

  std::shared_ptr<const Snapshot> snapshot(std::vector<GpuProcess> processes = {}) const {
    DeviceSnapshot d = device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy());
    d.reading.memory_total = 10'000_MiB;
    Bytes used{0};
    for (const GpuProcess& p : processes) used = used + *p.memory;
    d.reading.memory_used = used;
    d.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
    auto result = std::make_shared<Snapshot>();
    result->devices.push_back(std::move(d));
    return result;
  }
  void look(std::vector<GpuProcess> processes = {}) {
    keeper_->see(snapshot(std::move(processes)));
    keeper_->step();
  }
  LeaseId book(std::int64_t pid, std::uint64_t mib) {
    const auto booking = book_->reserve({.service = "training", .min = from_mib(mib), .owner = ProcessOwner{pid, 0}});
    EXPECT_TRUE(booking) << booking.error().text();
    return booking ? booking->id : LeaseId{};
  }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
  std::unique_ptr<Bookkeeper> book_;
  std::unique_ptr<Housekeeping> keeper_;
};

TEST_F(HousekeepingTest, NothingIsSaidAndNothingGrantedBeforeTheFirstSnapshot) {
  EXPECT_EQ(keeper_->step(), clock_->now() + 1s);
  EXPECT_EQ(keeper_->booked(), nullptr);
  EXPECT_EQ(book_->closed()->message, "the GPUs have not been looked at since the start; ask again in a second");
  look();
  EXPECT_FALSE(book_->closed());
  ASSERT_TRUE(keeper_->booked());
  EXPECT_EQ(keeper_->booked()->closed, "");
}

TEST_F(HousekeepingTest, TheSummarySaysWhatIsBookedAndWhoseTheProcessesAre) {
  look();
  book(10, 4000);
  look({process(10, "train", 5000), process(11, "game", 1000)});
  const auto booked = keeper_->booked();
  ASSERT_THAT(booked->devices, SizeIs(1));
  const BookedDevice& d = booked->devices[0];
  EXPECT_EQ(d.id.text, "GPU-a");
  EXPECT_EQ(d.capacity, 10'000_MiB);
  EXPECT_EQ(d.booked, 4000_MiB);
  EXPECT_EQ(d.charged, 5000_MiB);
  EXPECT_EQ(d.unmanaged, 1000_MiB);
  EXPECT_EQ(d.available, 4000_MiB);
  EXPECT_EQ(d.leases, 1u);
  EXPECT_THAT(d.ours, ElementsAre(10));
  EXPECT_THAT(d.foreign, ElementsAre(11));
  ASSERT_THAT(booked->overused, SizeIs(1));
  EXPECT_EQ(booked->overused[0].service, "training");
  EXPECT_EQ(booked->overused[0].observed, 5000_MiB);
  EXPECT_EQ(booked->overused[0].most, 4000_MiB);
  EXPECT_THAT(booked->overused[0].pids, ElementsAre(10));
}

TEST_F(HousekeepingTest, WhatIsNotGivenBackIsALeakUntilItIs) {
  look();
  const LeaseId id = book(10, 4000);
  look({process(10, "train", 4000)});
  ASSERT_TRUE(book_->release(id));
  look({process(10, "train", 4000)});
  EXPECT_EQ(keeper_->booked()->devices[0].draining, 4000_MiB);
  EXPECT_THAT(keeper_->booked()->leaked, IsEmpty());
  clock_->advance(11s);
  look({process(10, "train", 4000)});
  ASSERT_THAT(keeper_->booked()->leaked, SizeIs(1));
  EXPECT_EQ(keeper_->booked()->leaked[0].id, number(id));
  EXPECT_EQ(keeper_->booked()->devices[0].leaked, 4000_MiB);
  look();
  EXPECT_THAT(keeper_->booked()->leaked, IsEmpty());
}

TEST_F(HousekeepingTest, WithoutASnapshotTimeGoesOn) {
  look();
  const auto id = book_->reserve({.service = "s", .min = 1000_MiB, .owner = HeartbeatOwner{2s}})->id;
  clock_->advance(3s);
  keeper_->step();
  EXPECT_EQ(book_->wait_while(id, LeaseState::starting, clock_->now()), LeaseState::draining);
  EXPECT_EQ(keeper_->booked()->devices[0].booked, Bytes(0));
}

TEST_F(HousekeepingTest, AFullDiskIsSaidAndWhenItIsOver) {
  look();
  disk_->fails = Error{Errc::resource_exhausted, "the disk is full"};
  EXPECT_FALSE(book_->reserve({.service = "s", .min = 1000_MiB}));
  look();
  EXPECT_EQ(keeper_->booked()->closed, "the disk is full");
  disk_->fails.reset();
  clock_->advance(2s);
  look();
  EXPECT_EQ(keeper_->booked()->closed, "");
}

TEST_F(HousekeepingTest, AProcessIsOursOnceTheLedgerSaysSoAndForeignWhenItSaysThat) {
  look();
  const auto device = snapshot()->devices[0];
  EXPECT_FALSE(works_under_lease(*keeper_->booked(), device, 10));  // nothing is booked
  book(10, 4000);
  look({process(10, "train", 4000), process(11, "game", 1000)});
  EXPECT_TRUE(works_under_lease(*keeper_->booked(), device, 10));
  EXPECT_FALSE(works_under_lease(*keeper_->booked(), device, 11));
  EXPECT_TRUE(works_under_lease(*keeper_->booked(), device, 12));  // it came since, and is not judged yet
  const auto other = gpukeeper::device(1, facts("GPU-b", "NVIDIA H200", "0000:02:00.0"), busy());
  EXPECT_FALSE(works_under_lease(*keeper_->booked(), other, 10));
}

TEST_F(HousekeepingTest, AProcessOfAPartitionsLeaseIsOursOnTheWholeDeviceToo) {
  DeviceSnapshot whole = snapshot()->devices[0];
  DeviceSnapshot part = device(0, facts("MIG-1", "1g.18gb", ""), busy());
  part.reading.memory_total = 5000_MiB;
  part.reading.memory_used = 1000_MiB;
  GpuProcess inside = process(10, "train", 1000);
  inside.partition = DeviceId{"MIG-1"};
  GpuProcess stranger = process(11, "game", 500);
  stranger.partition = DeviceId{"MIG-1"};
  whole.partitions.push_back(part);
  whole.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{inside, stranger});
  auto divided = std::make_shared<Snapshot>();
  divided->devices.push_back(whole);
  keeper_->see(divided);
  keeper_->step();
  book(10, 1000);
  keeper_->see(divided);
  keeper_->step();
  EXPECT_TRUE(works_under_lease(*keeper_->booked(), whole, 10));
  EXPECT_FALSE(works_under_lease(*keeper_->booked(), whole, 11));
}

TEST_F(HousekeepingTest, SettingsHoldForTheDevicesThatTheyName) {
  look();
  BookSettings settings;
  settings.ledger.limit.headroom = Bytes(0);
  settings.devices = {{.device = "*H200*", .most = 3000_MiB}};
  keeper_->configure(settings);
  keeper_->step();
  EXPECT_EQ(keeper_->booked()->devices[0].capacity, 3000_MiB);
  book_->look([](const Ledger& ledger) { EXPECT_EQ(ledger.settings().limits.size(), 1u); });
}

TEST_F(HousekeepingTest, WhoAsksWithoutADaemonSurveysOnce) {
  BookSettings settings;
  settings.ledger.limit.headroom = Bytes(0);
  settings.devices = {{.device = "0", .most = 3000_MiB}};
  survey(*book_, settings, *snapshot());
  EXPECT_FALSE(book_->closed());
  EXPECT_FALSE(book_->reserve({.service = "s", .min = 3001_MiB}));
  EXPECT_TRUE(book_->reserve({.service = "s", .min = 3000_MiB}));
}

TEST_F(HousekeepingTest, OfAnOverusedLeaseThoseProcessesAreToldThatMayBeEnded) {
  std::vector<OverusedLease> told;
  keeper_->on_overuse([&](const std::vector<OverusedLease>& leases) { told = leases; });
  look();
  book(10, 1000);
  book(11, 1000);
  book(11, 1000);
  book(12, 1000);
  book(13, 500);
  const auto begun = [](std::int64_t pid, std::uint64_t mib, std::uint64_t start, bool mps = false) {
    GpuProcess p = process(pid, "train", mib);
    p.type.mps = mps;
    ProcessFacts facts;
    facts.start_ticks = start;
    p.facts = std::make_shared<const ProcessFacts>(facts);
    return p;
  };
  look({begun(10, 1500, 100), begun(11, 2500, 100), begun(12, 1500, 100, true), process(13, "train", 1000)});
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_EQ(told[0].observed, 1500_MiB);
  EXPECT_EQ(told[0].most, 1000_MiB);
  EXPECT_THAT(told[0].processes, ElementsAre(ProcessOwner{10, 100}));
  EXPECT_THAT(told[1].processes, IsEmpty());  // it uses another lease, too
  EXPECT_THAT(told[2].processes, IsEmpty());  // others share its server
  EXPECT_THAT(told[3].processes, IsEmpty());  // nobody knows when it began
  look();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(HousekeepingTest, LeasesThatWereGrantedAsOneAreOne) {
  std::vector<OverusedLease> told;
  keeper_->on_overuse([&](const std::vector<OverusedLease>& leases) { told = leases; });
  GpuProcess p = process(10, "train", 1500);
  ProcessFacts facts;
  facts.start_ticks = 100;
  p.facts = std::make_shared<const ProcessFacts>(facts);
  Snapshot two = *snapshot({p});
  DeviceSnapshot second = two.devices[0];
  Device named = *second.device;
  named.id.text = "GPU-b";
  second.device = std::make_shared<const Device>(named);
  second.index = 1;
  two.devices.push_back(second);
  const auto both = std::make_shared<const Snapshot>(two);
  keeper_->see(both);
  keeper_->step();
  ASSERT_TRUE(book_->reserve({.service = "s", .min = 1000_MiB, .owner = ProcessOwner{10, 100}, .devices = 2}));
  keeper_->see(both);
  keeper_->step();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0].processes, ElementsAre(ProcessOwner{10, 100}));
  EXPECT_THAT(told[1].processes, ElementsAre(ProcessOwner{10, 100}));
}

TEST_F(HousekeepingTest, ItsThreadLooksAtWhatItIsHanded) {
  keeper_.reset();
  keeper_ = std::make_unique<Housekeeping>(*book_, std::make_shared<SystemClock>());
  EXPECT_TRUE(keeper_->ended());
  keeper_->start();
  keeper_->see(snapshot());
  const auto booked = [&] { return keeper_->booked() == nullptr; };
  EXPECT_TRUE(SystemClock().wait_while(booked, {}));
  EXPECT_FALSE(keeper_->ended());
  keeper_->ask_to_stop();
  EXPECT_TRUE(SystemClock().wait_while([&] { return !keeper_->ended(); }, {}));
}

}  // namespace
}  // namespace gpukeeper
