#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "faults/fault_store.hpp"

namespace gpukeeper {

/// Two stores over the same place: the second is opened after the first has ended.
class FaultStorePlace {
 public:
  virtual ~FaultStorePlace() = default;
  virtual std::shared_ptr<FaultStore> open() = 0;
};

/// What every FaultStore keeps to, the fake too. The parameter makes an empty place.
class FaultStoreContract : public testing::TestWithParam<std::function<std::unique_ptr<FaultStorePlace>()>> {
 protected:
  /// A record with every field set, and texts that a hostile process might choose.
  static FaultRecord record(std::uint64_t id) {
    FaultRecord r;
    r.id = id;
    r.kind = EventKind::xid;
    r.code = 79;
    r.device.text = "GPU-a";
    r.pci = PciAddress::parse("0000:01:00.0");
    r.device_name = "NVIDIA H100";
    r.recorded = true;
    r.first = kThen;
    r.last = kThen + std::chrono::nanoseconds(1'500'000'001);
    r.count = 0xffff'ffff'ffff'fff0;
    r.detail = std::string("\x1b[2J\xff\0 '; DROP TABLE fault; --\n", 29);
    r.sources = {"nvml", "kernel log"};
    r.processes = {{.pid = 4242, .name = "py\xfethon\n3", .user = "alice", .blamed = true},
                   {.pid = 5000, .name = "", .container = "c0ffee"}};
    r.severity = Severity::critical;
    fill_explanation(r);
    return r;
  }
  static FaultEntries everything() {
    FaultEntries all;
    all.records = {record(1), record(2)};
    all.records[1].processes.reset();
    all.records[1].pci.reset();
    all.reports = {
        {1, 1, kThen, 3, "nvml", ""}, {1, 1, kThen, 3, "kernel log", "boot 1 record 5"}, {2, 2, kThen, 1, "nvml", ""}};
    all.totals = {{{"GPU-a"}, EventKind::xid, Severity::critical, 4, kThen}};
    all.marks = {{{"GPU-a"}, "ecc_corrected_aggregate", 7}, {{"GPU-a"}, "lost", 0}};
    return all;
  }

  const std::unique_ptr<FaultStorePlace> place_ = GetParam()();
};

TEST_P(FaultStoreContract, AnEmptyOneHoldsNothing) {
  const auto loaded = place_->open()->load(10);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->empty());
}

TEST_P(FaultStoreContract, WhatWasWrittenIsThereAfterARestart) {
  ASSERT_TRUE(place_->open()->write(everything()));
  const auto loaded = place_->open()->load(10);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, everything());
}

TEST_P(FaultStoreContract, NewerValuesTakeThePlaceOfOlderOnes) {
  const auto store = place_->open();
  ASSERT_TRUE(store->write(everything()));
  FaultEntries newer;
  newer.records = {record(2)};
  newer.records[0].count = 9;
  newer.records[0].sources = {"readings"};
  newer.totals = {{{"GPU-a"}, EventKind::xid, Severity::critical, 12, kThen}};
  newer.marks = {{{"GPU-a"}, "lost", 1}};
  ASSERT_TRUE(store->write(newer));
  const auto loaded = store->load(10);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->records, (std::vector{record(1), newer.records[0]}));
  EXPECT_EQ(loaded->totals, newer.totals);
  EXPECT_EQ(loaded->marks, (std::vector<WatchMark>{{{"GPU-a"}, "ecc_corrected_aggregate", 7}, {{"GPU-a"}, "lost", 1}}));
}

TEST_P(FaultStoreContract, AKeyOfASourceIsKeptOnce) {
  const auto store = place_->open();
  FaultEntries entries;
  entries.reports = {{1, 1, kThen, 1, "kernel log", "record 5"}, {1, 2, kThen, 1, "other log", "record 5"}};
  ASSERT_TRUE(store->write(entries));
  ASSERT_TRUE(store->write(entries));
  EXPECT_EQ(store->load(10)->reports, entries.reports);
}

TEST_P(FaultStoreContract, AReportThatComesLateStandsWithItsOccurrence) {
  const auto store = place_->open();
  FaultEntries entries;
  entries.reports = {{1, 1, kThen, 1, "nvml", ""}, {2, 2, kThen, 1, "nvml", ""}};
  ASSERT_TRUE(store->write(entries));
  FaultEntries late;
  late.reports = {{1, 1, kThen, 1, "kernel log", "record 5"}};
  ASSERT_TRUE(store->write(late));
  EXPECT_EQ(store->load(10)->reports, (std::vector{entries.reports[0], late.reports[0], entries.reports[1]}));
}

TEST_P(FaultStoreContract, TheNewestRecordsAreLoadedOldestFirst) {
  const auto store = place_->open();
  FaultEntries entries;
  for (std::uint64_t id = 1; id <= 5; ++id) entries.records.push_back(record(id));
  ASSERT_TRUE(store->write(entries));
  EXPECT_EQ(store->load(2)->records, (std::vector{record(4), record(5)}));
}

TEST_P(FaultStoreContract, TheOldestAboveTheLimitsAreDeleted) {
  const auto store = place_->open();
  FaultEntries entries;
  for (std::uint64_t id = 1; id <= FaultStore::kMostReports + 2; ++id) {
    entries.reports.push_back({id, id, kThen, 1, "nvml", ""});
  }
  entries.records = {record(1), record(2)};
  ASSERT_TRUE(store->write(entries));
  const auto loaded = store->load(10);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->reports.size(), FaultStore::kMostReports);
  EXPECT_EQ(loaded->reports.front().occurrence, 3u);

  FaultEntries newest;
  newest.records = {record(FaultStore::kMostRecords + 1)};
  ASSERT_TRUE(store->write(newest));
  EXPECT_EQ(store->load(10)->records, (std::vector{record(2), newest.records[0]}));
}

}  // namespace gpukeeper
