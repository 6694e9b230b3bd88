#include "faults/fault_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_fault_store.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class FaultJournalTest : public testing::Test {
 protected:
  FaultJournalTest() { begin(); }

  void begin(std::shared_ptr<FaultStore> store = nullptr) {
    journal_.reset();  // the one before has ended
    journal_.emplace(std::move(store));
  }
  std::shared_ptr<FaultStore> store(bool made_up = false) const {
    return std::make_shared<MemoryFaultStore>(disk_, made_up);
  }

  /// A tick at which these events were reported.
  void tick(std::vector<DeviceEvent> events = {}, std::chrono::seconds later = 1s) {
    clock_->advance(later);
    snapshot_.taken_at = clock_->wall();
    snapshot_.monotonic = clock_->now();
    snapshot_.events = std::move(events);
    snapshot_.event_sources.clear();
    journal_->note(snapshot_);
    journal_->tell(snapshot_);
  }
  DeviceEvent xid(std::uint64_t code, std::string key = "", std::string device = "GPU-aaaa") const {
    DeviceEvent event;
    event.kind = EventKind::xid;
    event.code = code;
    event.at = clock_->wall();
    event.id = DeviceId{std::move(device)};
    event.source = "kernel log";
    event.key = std::move(key);
    return event;
  }
  std::size_t stored() const {
    std::scoped_lock lock(disk_->mutex);
    return disk_->records.size();
  }

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  Snapshot snapshot_ = four_gpus();
  std::optional<FaultJournal> journal_;
};

TEST_F(FaultJournalTest, CountsAreMetricsOfEveryDeviceTheLostOnesToo) {
  tick({xid(31), xid(79, "", "GPU-dddd")});
  const auto& healthy = snapshot_.devices[1].reading;
  EXPECT_EQ(healthy.faults, Count(0));
  EXPECT_EQ(healthy.faults_critical, Count(0));
  EXPECT_EQ(healthy.fault_last, Metric<WallTime>(missing(Missing::not_supported)));
  EXPECT_EQ(snapshot_.devices[0].reading.faults, Count(1));
  EXPECT_EQ(snapshot_.devices[0].reading.faults_critical, Count(0));
  ASSERT_FALSE(snapshot_.devices[3].available);
  EXPECT_EQ(snapshot_.devices[3].reading.faults_critical, Count(1));
  EXPECT_EQ(snapshot_.devices[3].reading.fault_last, clock_->wall() - 1s);
}

TEST_F(FaultJournalTest, ReadersKeepTheListThatTheyTook) {
  tick({xid(31)});
  const auto list = journal_->list();
  tick({xid(79)});
  EXPECT_THAT(list->records, SizeIs(1));
  EXPECT_THAT(journal_->list()->records, SizeIs(2));
  const auto same = journal_->list();
  tick();
  EXPECT_EQ(journal_->list(), same) << "nothing happened, nothing is made anew";
}

TEST_F(FaultJournalTest, WhatTheReadingsShowIsInItToo) {
  tick();
  snapshot_.devices[0].available = false;
  snapshot_.devices[0].reading = Reading{Missing::failed};
  snapshot_.devices[0].reason = "gone from the bus";
  tick();
  ASSERT_THAT(journal_->list()->records, SizeIs(1));
  const FaultRecord& record = *journal_->list()->records[0];
  EXPECT_EQ(record.kind, EventKind::lost);
  EXPECT_EQ(record.detail, "gone from the bus");
  ASSERT_TRUE(record.processes);
  EXPECT_THAT(*record.processes, SizeIs(2));
}

TEST_F(FaultJournalTest, ARestartCountsNothingTwice) {
  begin(store());
  snapshot_.devices[0].reading.ecc_uncorrected_aggregate = Count(2);
  const auto seen = {xid(79, "boot 1 record 5"), xid(31, "boot 1 record 6")};
  tick(seen);
  tick();
  const auto before = *journal_->list();
  for (int i = 0; i < 3; ++i) {
    begin(store());
    tick(seen);
    ASSERT_THAT(journal_->list()->records, SizeIs(3));
    EXPECT_EQ(journal_->list()->totals, before.totals);
    EXPECT_EQ(snapshot_.devices[0].reading.faults, Count(4));  // two of them memory errors
  }
  EXPECT_EQ(*journal_->list()->records[0], *before.records[0]);
}

TEST_F(FaultJournalTest, AStoreThatCannotBeReadIsLeftAloneAndTheReasonIsSaid) {
  disk_->load_error = Error{Errc::not_permitted, "open: Permission denied"};
  begin(store());
  tick({xid(79)});
  EXPECT_THAT(journal_->list()->records, SizeIs(1));
  ASSERT_THAT(snapshot_.event_sources, SizeIs(1));
  EXPECT_EQ(snapshot_.event_sources[0].name, "fault journal");
  EXPECT_FALSE(snapshot_.event_sources[0].available);
  EXPECT_EQ(snapshot_.event_sources[0].message,
            "the fault journal in memory cannot be read: open: Permission denied; faults are kept in memory until "
            "gpukeeper is started again");
  begin();
  EXPECT_EQ(disk_->writes, 0u);
}

TEST_F(FaultJournalTest, WhatTheStoreHasToSayIsPassedOn) {
  disk_->notice = "it was damaged";
  begin(store());
  tick();
  ASSERT_THAT(snapshot_.event_sources, SizeIs(1));
  EXPECT_TRUE(snapshot_.event_sources[0].available);
  EXPECT_EQ(snapshot_.event_sources[0].message, "it was damaged");
}

TEST_F(FaultJournalTest, SimulatedFaultsNeverReachTheStoreOfRealOnes) {
  snapshot_ = simulated_gpu();
  snapshot_.devices[0].reading.ecc_uncorrected_aggregate = Count(2);
  begin(store());
  tick({xid(79, "", "GPU-sim")});
  EXPECT_THAT(journal_->list()->records, SizeIs(2));
  EXPECT_TRUE(journal_->list()->records[0]->simulated);
  begin();
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(disk_->marks.empty());

  begin(store(true));
  tick({xid(79, "", "GPU-sim")});
  begin();
  EXPECT_EQ(stored(), 2u);
}

TEST_F(FaultJournalTest, AClockThatIsSetIsNoticedFromTheSnapshots) {
  tick({xid(79)});
  clock_->set_wall(clock_->wall() - 1h);
  DeviceEvent again = xid(79);
  again.source = "nvml";
  again.at = clock_->wall();
  tick({again});
  ASSERT_THAT(journal_->list()->records, SizeIs(1));
  EXPECT_EQ(journal_->list()->records[0]->count, 1u);
}

// The writer, stepped by the test beside its own thread, which pauses after a failure.
class FaultWriterTest : public FaultJournalTest {
 protected:
  FaultEntries record(std::uint64_t id, std::uint64_t count = 1) const {
    FaultEntries entries;
    FaultRecord& made = entries.records.emplace_back();
    made.id = id;
    made.count = count;
    return entries;
  }
};

TEST_F(FaultWriterTest, AFullDiskLosesNothingAndIsSaidUntilThereIsSpaceAgain) {
  disk_->write_error = Error{Errc::resource_exhausted, "database or disk is full"};
  FaultWriter writer(store());
  writer.put(record(1));
  writer.put(record(1, 2));
  writer.put(record(2));
  while (writer.message().empty()) static_cast<void>(writer.write_pending());
  EXPECT_EQ(writer.message(),
            "the fault journal cannot be written to memory: database or disk is full; it goes on in memory, and is "
            "written when that succeeds; free some space on that disk");
  {
    std::scoped_lock lock(disk_->mutex);
    disk_->write_error.reset();
  }
  while (stored() < 2) static_cast<void>(writer.write_pending());
  EXPECT_EQ(disk_->records.at(1).count, 2u) << "the newest state of it";
}

TEST_F(FaultWriterTest, PausesGrowFromASecondToAMinute) {
  disk_->write_error = Error{Errc::internal, "disk I/O error"};
  FaultWriter writer(store());
  writer.put(record(1));
  std::vector<std::int64_t> pauses;
  std::optional<std::chrono::nanoseconds> pause;
  while (!pause || *pause < 60s) {
    pause = writer.write_pending();
    if (pause) pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(*pause).count());
  }
  EXPECT_TRUE(std::ranges::is_sorted(pauses));
  EXPECT_EQ(pauses.back(), 60);
  EXPECT_EQ(writer.write_pending(), std::optional<std::chrono::nanoseconds>(60s));
}

TEST_F(FaultWriterTest, WhatWaitsIsBoundedAndWhatIsGivenUpIsSaid) {
  disk_->write_error = Error{Errc::resource_exhausted, "database or disk is full"};
  FaultWriter writer(store());
  for (std::uint64_t id = 1; id <= FaultWriter::kMostRecords + 3; ++id) writer.put(record(id));
  while (writer.message().find("3 faults were given up") == std::string::npos) {
    static_cast<void>(writer.write_pending());
  }
  {
    std::scoped_lock lock(disk_->mutex);
    disk_->write_error.reset();
  }
  while (stored() == 0) static_cast<void>(writer.write_pending());
  while (writer.message().find("3 faults were lost") == std::string::npos) {
    static_cast<void>(writer.write_pending());
  }
  EXPECT_EQ(writer.message(), "3 faults were lost while the journal could not be written to memory");
  EXPECT_EQ(stored(), FaultWriter::kMostRecords);
}

TEST_F(FaultWriterTest, TheEndWritesWhatIsLeft) {
  {
    FaultWriter writer(store());
    writer.put(record(1));
  }
  EXPECT_EQ(stored(), 1u);
}

TEST_F(FaultJournalTest, AStoreThatWasBegunAnewGetsEverythingAgain) {
  snapshot_.devices.pop_back();  // the one that does not answer would be a fault of its own in time
  begin(store());
  tick({xid(79)});
  while (stored() == 0) std::this_thread::yield();
  {
    std::scoped_lock lock(disk_->mutex);
    disk_->records.clear();
    disk_->reports.clear();
    disk_->totals.clear();
    disk_->marks.clear();
    disk_->write_error = Error{Errc::not_found, "it was damaged"};
  }
  tick({xid(31)});
  for (bool failed = false; !failed;) {
    tick({}, 0s);
    failed = !snapshot_.event_sources.empty();
  }
  {
    std::scoped_lock lock(disk_->mutex);
    disk_->write_error.reset();
  }
  tick();
  begin();
  EXPECT_EQ(stored(), 2u);
  EXPECT_EQ(disk_->totals.size(), 2u);
  EXPECT_FALSE(disk_->marks.empty());
}

}  // namespace
}  // namespace gpukeeper
