#include "faults/snapshot_watch.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// A machine whose snapshots are looked at one after the other, a second apart.
class SnapshotWatchTest : public testing::Test {
 protected:
  DeviceSnapshot& plug(const std::string& id, const std::string& pci = "0000:01:00.0") {
    auto& made = now_.devices.emplace_back(device(static_cast<std::uint32_t>(now_.devices.size()),
                                                  facts(id, "NVIDIA H100", pci), Reading{Missing::not_supported}));
    return made;
  }
  Snapshot& machine() { return now_; }
  DeviceSnapshot& gpu(std::size_t index = 0) { return now_.devices.at(index); }

  void lose(DeviceSnapshot& d, std::string reason) {
    d.available = false;
    d.reading = Reading{Missing::failed};
    d.reason = std::move(reason);
  }
  void bring_back(DeviceSnapshot& d) {
    d.available = true;
    d.reading = Reading{Missing::not_supported};
    d.reason.clear();
  }

  /// "kind: detail", or "kind x3: detail" for a count.
  std::vector<std::string> look(std::chrono::seconds later = 1s) {
    now_.taken_at += later;
    now_.monotonic += later;
    events_ = watch_.look(now_);
    std::vector<std::string> result;
    for (const DeviceEvent& event : events_) {
      EXPECT_EQ(event.source, "readings");
      EXPECT_EQ(event.at, now_.taken_at);
      result.push_back(std::string(to_string(event.kind)) +
                       (event.count == 1 ? "" : " x" + std::to_string(event.count)) + ": " + event.detail);
    }
    return result;
  }
  void restart() { watch_ = SnapshotWatch(watch_.marks()); }

  Snapshot now_ = [] {
    Snapshot made;
    made.taken_at = kThen;
    made.monotonic = MonotonicTime(1h);
    made.sources = {{"nvml", true, "", 1}};
    return made;
  }();
  SnapshotWatch watch_;
  std::vector<DeviceEvent> events_;
};

TEST_F(SnapshotWatchTest, ErrorsThatBothCountersShowAreCountedOnce) {
  Reading& r = plug("GPU-a").reading;
  r.ecc_corrected_volatile = Count(2);
  r.ecc_corrected_aggregate = Count(10);
  EXPECT_THAT(look(), IsEmpty()) << "what stands there at first is the base";
  r.ecc_corrected_volatile = Count(5);
  r.ecc_corrected_aggregate = Count(13);
  EXPECT_THAT(look(), ElementsAre("ecc_corrected x3: 3 more corrected memory errors, 13 in all"));
  EXPECT_EQ(events_[0].id, DeviceId{"GPU-a"});
  EXPECT_EQ(events_[0].pci, PciAddress::parse("0000:01:00.0"));
  EXPECT_THAT(look(), IsEmpty());
}

struct CounterCase {
  std::string_view name;
  std::optional<std::uint64_t> volatile_before, aggregate_before, volatile_after, aggregate_after;
  std::uint64_t errors;
};

class CounterTest : public SnapshotWatchTest, public testing::WithParamInterface<CounterCase> {};

TEST_P(CounterTest, CountsWhatIsNew) {
  const auto metric = [](std::optional<std::uint64_t> value) -> Metric<Count> {
    if (!value) return missing(Missing::not_supported);
    return Count(*value);
  };
  const CounterCase& c = GetParam();
  Reading& r = plug("GPU-a").reading;
  r.ecc_corrected_volatile = metric(c.volatile_before);
  r.ecc_corrected_aggregate = metric(c.aggregate_before);
  look();
  r.ecc_corrected_volatile = metric(c.volatile_after);
  r.ecc_corrected_aggregate = metric(c.aggregate_after);
  look();
  EXPECT_EQ(events_.empty() ? 0 : events_[0].count, c.errors) << c.name;
  EXPECT_LE(events_.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Counters, CounterTest,
                         testing::Values(CounterCase{"unchanged", 3, 9, 3, 9, 0},
                                         CounterCase{"both grow", 3, 9, 4, 10, 1},
                                         CounterCase{"only the volatile one is there", 3, {}, 5, {}, 2},
                                         CounterCase{"only the aggregate one is there", {}, 3, {}, 5, 2},
                                         CounterCase{"the driver was reloaded", 3, 9, 0, 9, 0},
                                         CounterCase{"reloaded, and an error since", 3, 9, 1, 10, 1},
                                         CounterCase{"reloaded, and nobody counts for life", 3, {}, 1, {}, 1},
                                         CounterCase{"the aggregate one was cleared", 3, 9, 3, 0, 0},
                                         CounterCase{"both were cleared", 3, 9, 0, 0, 0},
                                         CounterCase{"no longer read", 3, 9, {}, {}, 0},
                                         CounterCase{"never read before", {}, {}, 3, 9, 0},
                                         CounterCase{"the aggregate one is written late", 3, 9, 4, 9, 1}));

TEST_F(SnapshotWatchTest, WhatStandsThereAtTheFirstLookAndMattersIsReportedOnceUnderAKey) {
  Reading& r = plug("GPU-a").reading;
  r.ecc_corrected_aggregate = Count(700);
  r.ecc_uncorrected_aggregate = Count(2);
  r.remapped_rows_uncorrected = Count(1);
  r.remapped_rows_pending = true;
  r.remapped_rows_failed = false;
  r.retired_pages_pending = true;
  EXPECT_THAT(look(), ElementsAre("ecc_uncorrected x2: 2 uncorrected memory errors from before the first look",
                                  "row_remap: a remapping of memory rows is pending",
                                  "page_retirement: a retirement of memory pages is pending"));
  EXPECT_EQ(events_[0].key, "GPU-a ecc_uncorrected_aggregate 2");
  EXPECT_EQ(events_[1].key, "GPU-a remapped_rows_pending 1");
  EXPECT_EQ(events_[2].key, "GPU-a retired_pages_pending 0");
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotWatchTest, RepairsOfMemoryAreReportedAsTheyHappen) {
  Reading& r = plug("GPU-a").reading;
  r.remapped_rows_corrected = Count(0);
  r.remapped_rows_uncorrected = Count(1);
  r.remapped_rows_pending = false;
  r.remapped_rows_failed = false;
  r.retired_pages_corrected = Count(4);
  EXPECT_THAT(look(), IsEmpty());
  r.remapped_rows_uncorrected = Count(2);
  r.remapped_rows_pending = true;
  EXPECT_THAT(look(), ElementsAre("row_remap: 1 more remapped memory rows after uncorrected errors, 2 in all",
                                  "row_remap: a remapping of memory rows is pending"));
  EXPECT_EQ(events_[1].key, "");
  r.remapped_rows_pending = false;
  r.remapped_rows_failed = true;
  r.retired_pages_corrected = Count(6);
  EXPECT_THAT(look(), ElementsAre("row_remap: the remapping of a memory row failed",
                                  "page_retirement x2: 2 more retired memory pages after corrected errors, 6 in all"));
  r.remapped_rows_pending = true;
  EXPECT_THAT(look(), ElementsAre("row_remap: a remapping of memory rows is pending")) << "pending once more";
}

TEST_F(SnapshotWatchTest, AfterARestartOnlyWhatHasChangedMeanwhileIsReported) {
  Reading& r = plug("GPU-a").reading;
  r.ecc_uncorrected_aggregate = Count(2);
  r.remapped_rows_pending = true;
  look();
  restart();
  EXPECT_THAT(look(), IsEmpty());
  restart();
  r.ecc_uncorrected_aggregate = Count(3);
  EXPECT_THAT(look(), ElementsAre("ecc_uncorrected: 1 more uncorrected memory error, 3 in all"));
}

TEST_F(SnapshotWatchTest, ChangedMarksAreHandedOutOnce) {
  plug("GPU-a").reading.ecc_corrected_aggregate = Count(7);
  look();
  EXPECT_THAT(watch_.take_changed_marks(),
              ElementsAre(WatchMark{{"GPU-a"}, "ecc_corrected_aggregate", 7}, WatchMark{{"GPU-a"}, "lost", 0}));
  look();
  EXPECT_THAT(watch_.take_changed_marks(), IsEmpty());
}

TEST_F(SnapshotWatchTest, ALostDeviceAndItsReturnAreReportedWithTheReason) {
  plug("GPU-a");
  look();
  lose(gpu(), "the driver did not answer within 500 ms; the device is tried again when it does");
  EXPECT_THAT(look(), ElementsAre("lost: the driver did not answer within 500 ms; the device is tried again when it "
                                  "does"));
  EXPECT_THAT(look(), IsEmpty());
  bring_back(gpu());
  EXPECT_THAT(look(), ElementsAre("returned: it can be read again"));
}

TEST_F(SnapshotWatchTest, SleepIsNoLossAndNeitherIsAPermissionOrADeviceNotReadYet) {
  for (const Missing why : {Missing::asleep, Missing::not_permitted, Missing::not_yet_read}) {
    plug("GPU-" + std::string(to_string(why)), "0000:0" + std::to_string(now_.devices.size() + 1) + ":00.0");
  }
  look();
  for (DeviceSnapshot& d : now_.devices) {
    const Missing why = d.device->id.text == "GPU-asleep"          ? Missing::asleep
                        : d.device->id.text == "GPU-not_permitted" ? Missing::not_permitted
                                                                   : Missing::not_yet_read;
    lose(d, "for a reason");
    d.reading = Reading{why};
    if (why == Missing::asleep) d.reading.attention = Attention::asleep;
  }
  EXPECT_THAT(look(), IsEmpty());
  for (DeviceSnapshot& d : now_.devices) bring_back(d);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotWatchTest, ADriverUpdatedUnderItsDevicesIsNoLostHardware) {
  plug("GPU-a");
  look();
  lose(gpu(), "the NVIDIA library and the loaded kernel module have different versions; reboot");
  EXPECT_THAT(look(), ElementsAre("driver: version mismatch: the NVIDIA library and the loaded kernel module have "
                                  "different versions; reboot"));
}

TEST_F(SnapshotWatchTest, ADeviceThatWasNeverThereIsLostOnceAMachineHasHadTimeToStart) {
  lose(plug("GPU-a"), "nvmlInit: Driver Not Loaded");
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(59s), IsEmpty());
  EXPECT_THAT(look(1s), ElementsAre("lost: nvmlInit: Driver Not Loaded"));
  restart();
  look();
  EXPECT_THAT(look(61s), IsEmpty()) << "it was reported before the restart";
}

TEST_F(SnapshotWatchTest, APluggedInDeviceIsReportedButNotTheFirstListOfASlowSource) {
  now_.sources = {{"nvml", true, "", 1}, {"amdgpu", false, "not listed yet", 0}};
  plug("GPU-a");
  look();
  plug("GPU-b", "0000:02:00.0");
  lose(gpu(1), "not read yet");
  gpu(1).reading = Reading{Missing::not_yet_read};
  EXPECT_THAT(look(), IsEmpty());
  bring_back(gpu(1));
  Device late = facts("AMD-c", "Navi", "0000:03:00.0", Vendor::amd);
  late.source = "amdgpu";
  now_.devices.push_back(device(2, late, Reading{Missing::not_supported}));
  now_.sources[1].available = true;
  EXPECT_THAT(look(), ElementsAre("returned: it was added: plugged in, or its driver was loaded"));
  EXPECT_EQ(events_[0].id, DeviceId{"GPU-b"});
}

TEST_F(SnapshotWatchTest, ADeviceThatGetsItsUuidWhenItsDriverIsLoadedIsNoNewOne) {
  plug("PCI-0000:01:00.0");
  look();
  now_.devices.clear();
  plug("GPU-a");
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotWatchTest, AnUpdatedDriverIsOneEventForAllItsDevices) {
  plug("GPU-a");
  plug("GPU-b", "0000:02:00.0");
  look();
  for (DeviceSnapshot& d : now_.devices) {
    Device changed = *d.device;
    changed.driver = std::string("nvidia");
    changed.driver_version = std::string("590.44");
    d.device = std::make_shared<const Device>(changed);
  }
  EXPECT_THAT(look(), ElementsAre("driver_reload: nvidia 590.44 in place of 580.105.08 on 2 GPUs"));
  EXPECT_EQ(events_[0].id, std::nullopt);
  EXPECT_EQ(events_[0].pci, std::nullopt);
}

TEST_F(SnapshotWatchTest, DevicesThatAllGoAtOnceAndComeBackHadTheirDriverReloaded) {
  plug("GPU-a");
  plug("GPU-b", "0000:02:00.0");
  look();
  lose(gpu(0), "gone from the bus");
  lose(gpu(1), "gone from the bus");
  EXPECT_THAT(look(), ElementsAre("lost: gone from the bus", "lost: gone from the bus"));
  bring_back(gpu(0));
  EXPECT_THAT(look(), ElementsAre("returned: it can be read again"));
  bring_back(gpu(1));
  EXPECT_THAT(look(), ElementsAre("returned: it can be read again",
                                  "driver_reload: all 2 GPUs of nvml went at once and are back"));
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotWatchTest, ANewXidIsAnEventOnlyWhereTheSourceReportsNone) {
  plug("GPU-a").reading.xid_last = Count(0);
  look();
  gpu().reading.xid_last = Count(79);
  EXPECT_THAT(look(), ElementsAre("xid: the last one that the driver remembers"));
  EXPECT_EQ(events_[0].code, 79u);
  EXPECT_THAT(look(), IsEmpty());
  now_.event_sources = {{"nvml", true, ""}};
  gpu().reading.xid_last = Count(31);
  EXPECT_THAT(look(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper
