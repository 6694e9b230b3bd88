#include "faults/fault_book.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

DeviceEvent xid(std::uint64_t code, WallTime::duration after, std::string source = "nvml") {
  DeviceEvent event;
  event.kind = EventKind::xid;
  event.code = code;
  event.at = kThen + after;
  event.source = std::move(source);
  return event;
}

FaultScene on(std::string device, bool simulated = false) {
  FaultScene scene;
  scene.device.text = std::move(device);
  scene.device_name = "NVIDIA H100";
  scene.simulated = simulated;
  return scene;
}

/// "XID 79 x2 nvml+kernel log" for each record.
std::vector<std::string> lines(const FaultBook& book) {
  std::vector<std::string> result;
  for (const auto& record : book.records()) {
    std::string line =
        record->kind == EventKind::xid ? "XID " + std::to_string(record->code) : std::string(to_string(record->kind));
    line += " x" + std::to_string(record->count);
    for (const std::string& source : record->sources) line += (&source == &record->sources[0] ? " " : "+") + source;
    result.push_back(line);
  }
  return result;
}

TEST(FaultBookTest, WhatTwoSourcesReportOfOneOccurrenceIsOneRecordThatNamesBoth) {
  FaultBook book;
  book.add(xid(79, 0s), on("GPU-a"));
  DeviceEvent more = xid(79, 4s, "kernel log");
  more.detail = "pid=4242, name=python3, GPU has fallen off the bus.";
  FaultScene scene = on("GPU-a");
  scene.processes = {{{.pid = 4242, .name = "python3", .blamed = true}}};
  book.add(more, scene);
  EXPECT_THAT(lines(book), ElementsAre("XID 79 x1 nvml+kernel log"));
  const FaultRecord& record = *book.records()[0];
  EXPECT_EQ(record.detail, "pid=4242, name=python3, GPU has fallen off the bus.");
  ASSERT_TRUE(record.processes);
  EXPECT_EQ(record.processes->at(0).pid, 4242);
  EXPECT_EQ(record.title, "XID 79: the GPU has fallen off the bus");
  EXPECT_EQ(record.severity, Severity::critical);
  EXPECT_EQ(record.first, kThen);
}

TEST(FaultBookTest, OtherDevicesCodesAndLaterTimesAreOtherOccurrences) {
  FaultBook book;
  book.add(xid(79, 0s), on("GPU-a"));
  book.add(xid(79, 1s, "kernel log"), on("GPU-b"));
  book.add(xid(31, 1s, "kernel log"), on("GPU-a"));
  book.add(xid(79, 6s, "kernel log"), on("GPU-a"));
  EXPECT_THAT(lines(book), ElementsAre("XID 79 x2 nvml+kernel log", "XID 79 x1 kernel log", "XID 31 x1 kernel log"));
}

TEST(FaultBookTest, RepeatsFoldIntoOneRecordUntilAMinuteIsQuiet) {
  FaultBook book;
  for (int i = 0; i < 5; ++i) book.add(xid(31, i * 50s), on("GPU-a"));
  book.add(xid(31, 261s), on("GPU-a"));
  EXPECT_THAT(lines(book), ElementsAre("XID 31 x5 nvml", "XID 31 x1 nvml"));
  EXPECT_EQ(book.records()[0]->first, kThen);
  EXPECT_EQ(book.records()[0]->last, kThen + 200s);
  EXPECT_EQ(book.faults_of({"GPU-a"}).count, 6u);
  EXPECT_EQ(book.faults_of({"GPU-a"}).last, kThen + 261s);
}

TEST(FaultBookTest, WhatTheCatalogueTellsApartDoesNotFold) {
  FaultBook book;
  DeviceEvent event;
  event.kind = EventKind::row_remap;
  event.at = kThen;
  event.source = "readings";
  for (const auto* detail : {"1 more remapped memory rows after uncorrected errors, 2 in all",
                             "a remapping of memory rows is pending", "the remapping of a memory row failed"}) {
    event.detail = detail;
    book.add(event, on("GPU-a"));
  }
  event.kind = EventKind::driver;
  for (const auto* detail : {"one message", "another message", "another message"}) {
    event.detail = detail;
    book.add(event, on("GPU-a"));
  }
  EXPECT_THAT(lines(book), ElementsAre("row_remap x1 readings", "row_remap x1 readings", "row_remap x1 readings",
                                       "driver x1 readings", "driver x2 readings"));
  EXPECT_EQ(book.faults_of({"GPU-a"}).critical, 1u);
}

TEST(FaultBookTest, AKeyThatWasSeenIsNothingNewAfterARestartToo) {
  DeviceEvent event = xid(79, 0s, "kernel log");
  event.key = "boot 1 record 815";
  FaultBook book;
  book.add(event, on("GPU-a"));
  book.add(event, on("GPU-a"));
  EXPECT_THAT(lines(book), ElementsAre("XID 79 x1 kernel log"));
  FaultBook restarted(book.everything());
  restarted.add(event, on("GPU-a"));
  EXPECT_THAT(lines(restarted), ElementsAre("XID 79 x1 kernel log"));
  event.source = "another log";  // its keys are its own; but it tells of the same occurrence
  restarted.add(event, on("GPU-a"));
  EXPECT_THAT(lines(restarted), ElementsAre("XID 79 x1 kernel log+another log"));
}

TEST(FaultBookTest, AfterARestartASecondSourceStillConfirmsWhatTheFirstReported) {
  FaultBook book;
  book.add(xid(79, 0s), on("GPU-a"));
  FaultBook restarted(book.everything());
  restarted.add(xid(79, 3s, "kernel log"), on("GPU-a"));
  restarted.add(xid(79, 30s), on("GPU-a"));
  EXPECT_THAT(lines(restarted), ElementsAre("XID 79 x2 nvml+kernel log"));
  EXPECT_EQ(restarted.records()[0]->id, 1u);
  EXPECT_EQ(restarted.faults_of({"GPU-a"}).critical, 2u);
}

TEST(FaultBookTest, OfTwoCountsOfOneOccurrenceTheLargerOneHolds) {
  FaultBook book;
  DeviceEvent event = xid(0, 0s, "readings");
  event.kind = EventKind::pcie_error;
  event.count = 2;
  book.add(event, on("GPU-a"));
  event.source = "kernel log";
  event.count = 5;
  event.at += 20s;
  book.add(event, on("GPU-a"));
  EXPECT_THAT(lines(book), ElementsAre("pcie_error x5 readings+kernel log"));
  EXPECT_EQ(book.totals().at(0).count, 5u);
}

TEST(FaultBookTest, ACounterThatGrewByThreeTellsOfThreeLinesOfTheLogBeforeAndAfterIt) {
  DeviceEvent grown = xid(0, 10s, "pcie counters");
  grown.kind = EventKind::pcie_error;
  grown.count = 3;
  for (int before = 0; before <= 3; ++before) {
    FaultBook book;
    DeviceEvent line = grown;
    line.source = "kernel log";
    line.count = 1;
    for (int i = 0; i < 3; ++i) {
      if (i == before) book.add(grown, on("GPU-a"));
      line.at = kThen + std::chrono::seconds(i * 8);
      book.add(line, on("GPU-a"));
      if (i == 1) book = FaultBook(book.everything());
    }
    if (before == 3) book.add(grown, on("GPU-a"));
    EXPECT_EQ(book.faults_of({"GPU-a"}).count, 3u) << before;
    line.at = kThen + 20s;
    book.add(line, on("GPU-a"));
    EXPECT_EQ(book.faults_of({"GPU-a"}).count, 4u) << "the fourth line is a fourth error";
  }
}

TEST(FaultBookTest, AClockThatIsSetBackNeitherSplitsNorJoinsOccurrences) {
  FaultBook book;
  book.add(xid(79, 0s), on("GPU-a"));
  book.clock_was_set(-1h);
  book.add(xid(79, -1h + 2s, "kernel log"), on("GPU-a"));  // the same, by the new clock
  EXPECT_THAT(lines(book), ElementsAre("XID 79 x1 nvml+kernel log"));
  book.add(xid(79, 1s, "kernel log"), on("GPU-a"));  // an hour later
  EXPECT_THAT(lines(book), ElementsAre("XID 79 x1 nvml+kernel log", "XID 79 x1 kernel log"));
}

TEST(FaultBookTest, OldReportsThatAreReadLateDoNotFoldIntoNewerRecords) {
  FaultBook book;
  book.add(xid(31, 0s), on("GPU-a"));
  book.add(xid(31, -1h, "kernel log"), on("GPU-a"));
  book.add(xid(31, -1h - 30s, "kernel log"), on("GPU-a"));
  EXPECT_THAT(lines(book), ElementsAre("XID 31 x1 nvml", "XID 31 x2 kernel log"));
  EXPECT_EQ(book.records()[1]->first, kThen - 1h - 30s);
}

TEST(FaultBookTest, ChangesAreHandedOutOnceAndSoAreOnlyThoseThatAreKept) {
  FaultBook book;
  book.add(xid(79, 0s), on("GPU-a"));
  book.add(xid(79, 0s), on("GPU-simulated", true));
  const FaultEntries changes = book.take_changes();
  ASSERT_THAT(changes.records, SizeIs(1));
  EXPECT_EQ(changes.records[0].device, DeviceId{"GPU-a"});
  EXPECT_THAT(changes.reports, SizeIs(1));
  EXPECT_THAT(changes.totals, SizeIs(1));
  EXPECT_TRUE(book.take_changes().empty());
  EXPECT_EQ(book.everything(), changes);
  EXPECT_THAT(book.records(), SizeIs(2));

  FaultBook made_up({}, true);
  made_up.add(xid(79, 0s), on("GPU-a"));
  EXPECT_TRUE(made_up.take_changes().empty());
}

TEST(FaultBookTest, MemoryHoldsTheNewestRecordsButCountsAll) {
  FaultBook book;
  const auto many = FaultBook::kRecords + 500;
  for (std::size_t i = 0; i < many; ++i) book.add(xid(31, static_cast<int>(i) * 2min), on("GPU-a"));
  EXPECT_THAT(book.records(), SizeIs(FaultBook::kRecords));
  EXPECT_EQ(book.records().back()->id, many);
  EXPECT_THAT(book.take_changes().records, SizeIs(many)) << "the store gets every one of them";
  EXPECT_EQ(book.faults_of({"GPU-a"}).count, many);
}

TEST(FaultBookTest, TextsAreCut) {
  FaultBook book;
  DeviceEvent event = xid(79, 0s);
  event.detail = std::string(100'000, 'x');
  FaultScene scene = on("GPU-a");
  scene.processes.emplace(1000);
  for (std::size_t i = 0; i < 1000; ++i) (*scene.processes)[i].pid = static_cast<std::int64_t>(i) + 1;
  book.add(event, scene);
  EXPECT_EQ(book.records()[0]->detail.size(), 1000u);
  EXPECT_THAT(*book.records()[0]->processes, SizeIs(FaultBook::kProcesses));
}

// Whatever the order in which two sources' reports of the same occurrences come, and however often the journal is begun
// again meanwhile: each occurrence counts once. Each source keeps its own order and is less than 5 s off the other.
TEST(FaultBookTest, EachOccurrenceCountsOnceInEveryInterleavingOfTwoSources) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const int occurrences = 1 + below(40);
    std::vector<DeviceEvent> nvml, log;
    WallTime::duration at{0};
    WallTime::duration nvml_last{0}, log_last{0};
    for (int i = 0; i < occurrences; ++i) {
      at += std::chrono::milliseconds(below(8000));
      nvml_last = std::max(nvml_last, WallTime::duration(at + std::chrono::milliseconds(below(2500))));
      log_last = std::max(log_last, WallTime::duration(at + std::chrono::milliseconds(below(2500))));
      nvml.push_back(xid(31, nvml_last));
      log.push_back(xid(31, log_last, "kernel log"));
      log.back().key = "record " + std::to_string(i);
    }
    FaultBook book;
    for (std::size_t n = 0, k = 0; n < nvml.size() || k < log.size();) {
      const bool take_nvml = k == log.size() || (n < nvml.size() && below(2) == 0);
      book.add(take_nvml ? nvml[n++] : log[k++], on("GPU-a"));
      if (below(10) == 0) {  // begun again: the kernel's log tells everything from its start
        book = FaultBook(book.everything());
        for (std::size_t old = 0; old < k; ++old) book.add(log[old], on("GPU-a"));
      }
    }
    ASSERT_EQ(book.faults_of({"GPU-a"}).count, static_cast<std::uint64_t>(occurrences)) << "seed " << seed;
    std::uint64_t in_records = 0;
    for (const auto& record : book.records()) in_records += record->count;
    ASSERT_EQ(in_records, static_cast<std::uint64_t>(occurrences)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace gpukeeper
