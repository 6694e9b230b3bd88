#include <thread>

#include "backend/nvml/event_queue.hpp"
#include "device/event.hpp"
#include "machine.hpp"

namespace gpukeeper::nvml {
namespace {

constexpr std::uint64_t kXid = 8;

class NvmlEventsTest : public NvmlMachine {
 protected:
  static std::vector<DeviceEvent> take(Backend& backend) {
    auto* source = dynamic_cast<EventSource*>(&backend);
    EXPECT_TRUE(source);
    return source ? *source->take_events() : std::vector<DeviceEvent>();
  }
  static std::string shown(Backend& backend) {
    std::string result;
    for (const DeviceEvent& event : take(backend)) {
      result += fmt::format("{} {};", event.pci->to_string(), event.detail);
    }
    return result;
  }
};

TEST_F(NvmlEventsTest, AnXidIsAnEventOfItsDevice) {
  add_gpus(2);
  const auto backend = open();
  const auto listed = devices(*backend);
  EXPECT_TRUE(take(*backend).empty());
  nvml_.post_event(1, kXid, 79);
  clock_.advance(5s);
  (void)devices(*backend);
  const auto events = take(*backend);
  ASSERT_EQ(events.size(), 1u);
  DeviceEvent expected;
  expected.kind = EventKind::xid;
  expected.at = clock_.wall();
  expected.id = listed[1].id;
  expected.pci = PciAddress::parse(pci_of(1));
  expected.code = 79;
  expected.detail = "XID 79";
  expected.source = "nvml";
  EXPECT_EQ(events.front(), expected);
  EXPECT_TRUE(take(*backend).empty());
}

TEST_F(NvmlEventsTest, AllThatHappenedBetweenTwoLooksIsToldInOrder) {
  add_gpus(2);
  const auto backend = open();
  (void)devices(*backend);
  nvml_.post_event(0, kXid, 13);
  nvml_.post_event(1, kXid, 31);
  nvml_.post_event(0, kXid, 43);
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "0000:10:00.0 XID 13;0000:11:00.0 XID 31;0000:10:00.0 XID 43;");
}

TEST_F(NvmlEventsTest, AnXidOfAMigInstanceSaysWhichOne) {
  add_gpus(1);
  nvml_.add_mig(0, {.gpu_instance = 9, .memory_total = 1 << 30});
  const auto backend = open();
  (void)devices(*backend);
  nvml_.post_event(0, kXid, 31, 9, 0);
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "0000:10:00.0 XID 31, GPU instance 9, compute instance 0;");
}

TEST_F(NvmlEventsTest, AskingCostsOneCallWhateverTheNumberOfGpus) {
  add_gpus(8);
  const auto backend = open();
  (void)devices(*backend);
  nvml_.reset_counters();
  (void)devices(*backend);
  EXPECT_EQ(nvml_.calls(Symbol::nvmlEventSetWait_v2), 1u);
  const auto before = nvml_.total_calls();
  EXPECT_TRUE(take(*backend).empty());
  EXPECT_EQ(nvml_.total_calls(), before) << "taking calls nothing";
}

TEST_F(NvmlEventsTest, TheDriverIsAskedAnewAfterItWasLoadedAnew) {
  add_gpus(1);
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  nvml_.post_event(0, kXid, 31);
  (void)devices(*backend);
  clock_.advance(60s);
  nvml_.reload_driver(1);
  EXPECT_FALSE(backend->read(id));
  (void)devices(*backend);
  EXPECT_TRUE(backend->read(id));
  nvml_.post_event(0, kXid, 79);
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "0000:10:00.0 XID 31;0000:10:00.0 XID 79;");
}

TEST_F(NvmlEventsTest, ADeviceWithoutEventsKeepsNoOtherFromReportingItsOwn) {
  add_gpus(2);
  nvml_.gpu(0).event_types_supported = 0;
  const auto backend = open();
  (void)devices(*backend);
  nvml_.post_event(0, kXid, 13);
  nvml_.post_event(1, kXid, 31);
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "0000:11:00.0 XID 31;");
}

TEST_F(NvmlEventsTest, ALibraryWithoutEventSetsReportsNone) {
  add_gpus(1);
  const auto library = nvml_.library_without({"nvmlEventSetCreate"});
  const auto backend = open(library.string());
  (void)devices(*backend);
  nvml_.post_event(0, kXid, 31);
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "");
}

TEST_F(NvmlEventsTest, ADriverThatHangsOverItsEventsHoldsUpNeitherThemNorReadings) {
  add_gpus(1);
  const auto backend = open();
  const auto id = devices(*backend).front().id;
  nvml_.post_event(0, kXid, 119);
  (void)devices(*backend);
  nvml_.hang(Symbol::nvmlEventSetWait_v2);
  std::thread hanging([&] { (void)backend->list(); });
  wait_until_hanging(1);
  EXPECT_EQ(shown(*backend), "0000:10:00.0 XID 119;");
  EXPECT_TRUE(backend->read(id));
  nvml_.clear_faults();
  hanging.join();
}

TEST_F(NvmlEventsTest, ASleepingGpuIsNotAskedForEvents) {
  add_gpus(1);
  control(0, "auto");
  status(0, "suspended");
  const auto backend = open();
  (void)devices(*backend);
  EXPECT_EQ(shown(*backend), "");
  EXPECT_EQ(nvml_.total_calls(), 0u);
}

TEST(EventQueueTest, WhereNobodyTakesThemTheOldestGiveWay) {
  EventQueue queue;
  DeviceEvent event;
  for (event.code = 0; event.code < EventQueue::kMost + 3; ++event.code) queue.add(event);
  const auto events = queue.take();
  ASSERT_EQ(events.size(), EventQueue::kMost);
  EXPECT_EQ(events.front().code, 3u);
  EXPECT_EQ(events.back().code, EventQueue::kMost + 2);
}

}  // namespace
}  // namespace gpukeeper::nvml
