#include "backend/kernel/kernel_log.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_kmsg.hpp"
#include "machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBoot = "0f00ba11-0000-4000-8000-000000000001";

class KernelLogTest : public testing::Test {
 protected:
  KernelLogTest() {
    tree_.add("0000:01:00.0", "nvidia", "0000:00:01.0/");
    tree_.add("0000:03:00.0", "amdgpu", "0000:00:03.0/0000:02:00.0/");
    tree_.add("0000:04:00.0", "iwlwifi", "0000:00:04.0/", "0x028000");
  }

  std::vector<DeviceEvent> take() {
    auto events = log_.take_events();
    EXPECT_TRUE(events) << events.error().message;
    return events ? *std::move(events) : std::vector<DeviceEvent>();
  }
  std::string shown() {
    std::string result;
    for (const DeviceEvent& event : take()) {
      result += fmt::format("{}{}", to_string(event.kind), event.pci ? " " + event.pci->to_string() : "");
      if (event.count != 1) result += fmt::format(" x{}", event.count);
      if (event.pid) result += fmt::format(" {} {}", *event.pid, event.process);
      result += '\n';
    }
    return result;
  }

  PciTree tree_;
  FakeClock clock_;  // an hour after boot
  FakeKmsg kmsg_;
  KernelLog log_{kmsg_.reader(), tree_.files, clock_};
};

TEST_F(KernelLogTest, AnEventHasItsTimeItsWordsAndAKeyThatLastsForTheBoot) {
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 79, pid=12, name=python3, GPU has fallen off the bus.", 3000);
  const auto events = take();
  ASSERT_EQ(events.size(), 1u);
  DeviceEvent expected;
  expected.kind = EventKind::xid;
  expected.at = clock_.wall() - 600s;
  expected.pci = PciAddress::parse("0000:01:00.0");
  expected.code = 79;
  expected.detail = "Xid (PCI:0000:01:00): 79, pid=12, name=python3, GPU has fallen off the bus.";
  expected.pid = 12;
  expected.process = "python3";
  expected.source = "kernel log";
  expected.key = std::string(kBoot) + "/kmsg/100";
  EXPECT_EQ(events.front(), expected);
  EXPECT_TRUE(take().empty());
}

TEST_F(KernelLogTest, WhatAProgramWritesIntoTheLogIsNoEvent) {
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.", 1, 12);
  EXPECT_EQ(shown(), "");
}

TEST_F(KernelLogTest, TheProcessOfAHangIsNamedByTheNextLine) {
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=2");
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu:  Process blender pid 77 thread blender:cs0 pid 78");
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: Starting gfx_0.0.0 ring reset");
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset failed");
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: GPU reset begin!", 2);
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: GPU reset(1) succeeded!", 4);
  EXPECT_EQ(shown(), "gpu_hang 0000:03:00.0 77 blender\nengine_reset 0000:03:00.0\ngpu_reset 0000:03:00.0\n");
}

TEST_F(KernelLogTest, TheLineWithTheProcessMayComeWithTheNextCall) {
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=2");
  EXPECT_EQ(shown(), "");
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu:  Process blender pid 77 thread blender:cs0 pid 78");
  EXPECT_EQ(shown(), "gpu_hang 0000:03:00.0 77 blender\n");
}

TEST_F(KernelLogTest, AHangWithoutSuchALineIsReportedACallLater) {
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=2");
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(shown(), "gpu_hang 0000:03:00.0\n");
  EXPECT_EQ(shown(), "");
}

TEST_F(KernelLogTest, AProcessOfAnotherCardIsNotBlamed) {
  kmsg_.write("amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=2");
  kmsg_.write("amdgpu 0000:09:00.0: amdgpu:  Process other pid 1 thread x pid 2");
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(shown(), "gpu_hang 0000:03:00.0\n");
}

TEST_F(KernelLogTest, ALineWithoutAnAddressIsOfTheOnlyCardOfItsDriver) {
  const auto* line = "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, but soft recovered";
  kmsg_.write(line, 1);
  EXPECT_EQ(shown() + shown(), "engine_reset 0000:03:00.0\n");
  tree_.add("0000:05:00.0", "amdgpu");
  clock_.advance(10s);
  kmsg_.write(line, 5);
  EXPECT_EQ(shown() + shown(), "engine_reset\n");  // of one of two: it cannot be said of which
}

TEST_F(KernelLogTest, TheSameAgainWithinASecondIsOneEventWithItsCount) {
  for (int i = 0; i < 5; ++i) kmsg_.write("NVRM: Xid (PCI:0000:01:00): 13, Graphics Exception: ESR", 10 + 0.4 * i);
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 31, Ch 1", 11);
  kmsg_.write("NVRM: Xid (PCI:0000:02:00): 13, Graphics Exception: ESR", 11);
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 13, Graphics Exception: ESR", 20);
  const auto events = take();
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].count + events[1].count, 5u);
  EXPECT_EQ(events[0].count, 3u);  // 10 s to 10.8 s
  EXPECT_EQ(events[0].key, std::string(kBoot) + "/kmsg/100");
}

TEST_F(KernelLogTest, SeveralLinesThatADeviceWasGivenUpAreOneOccurrence) {
  kmsg_.write("xe 0000:03:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:03:00.0 as wedged.");
  kmsg_.write("xe 0000:03:00.0: [drm] device wedged, needs recovery");
  EXPECT_EQ(shown(), "wedged 0000:03:00.0\n");
}

TEST_F(KernelLogTest, PcieErrorsCountWhenTheyAreAGpus) {
  kmsg_.write("nvidia 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)", 1);
  kmsg_.write("snd_hda_intel 0000:01:00.1: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)", 3);
  kmsg_.write("pcieport 0000:00:03.0: DPC: containment event, status:0x1f01 source:0x0000", 5);
  kmsg_.write("iwlwifi 0000:04:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)", 7);
  kmsg_.write("pcieport 0000:00:04.0: pciehp: Slot(4): Link Down", 9);
  EXPECT_EQ(shown(), "pcie_error 0000:01:00.0\npcie_error 0000:01:00.0\npcie_error 0000:03:00.0\n");
}

TEST_F(KernelLogTest, APortAboveSeveralGpusIsNamedItself) {
  tree_.add("0000:06:00.0", "amdgpu", "0000:00:06.0/0000:05:00.0/");
  tree_.add("0000:07:00.0", "amdgpu", "0000:00:06.0/0000:05:01.0/");
  kmsg_.write("pcieport 0000:00:06.0: DPC: containment event, status:0x1f01 source:0x0000");
  kmsg_.write("pcieport 0000:05:01.0: pciehp: Slot(7): Link Down");
  EXPECT_EQ(shown(), "pcie_error 0000:00:06.0\npcie_error 0000:07:00.0\n");
}

TEST_F(KernelLogTest, PcieErrorsFromNowOnAreLeftToTheKernelsCounters) {
  tree_.files.write("/sys/bus/pci/devices/0000:01:00.0/aer_dev_correctable", "RxErr 1\n");
  const auto* line = "nvidia 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)";
  kmsg_.write(line, 3599);
  kmsg_.write(line, 3602);
  EXPECT_EQ(shown(), "pcie_error 0000:01:00.0\n");
}

TEST_F(KernelLogTest, ACardThatHasLeftTheBusIsStillAGpu) {
  EXPECT_EQ(shown(), "");
  kmsg_.write("pcieport 0000:00:01.0: pciehp: Slot(1): Link Down", 1);
  EXPECT_EQ(shown(), "pcie_error 0000:01:00.0\n");
  tree_.files.remove("/sys/bus/pci/devices/0000:01:00.0");
  clock_.advance(60s);
  kmsg_.write("pcieport 0000:00:01.0: pciehp: Slot(1): Link Down", 9);
  EXPECT_EQ(shown(), "pcie_error 0000:01:00.0\n");
}

TEST_F(KernelLogTest, RecordsThatWereOverwrittenAreSaidToBeMissing) {
  kmsg_.write("usb 1-1: new device");
  EXPECT_EQ(shown(), "");
  kmsg_.fail(Errc::resource_exhausted, "overwritten");
  kmsg_.sequence += 40;
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 31, Ch 1");
  const auto events = take();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, EventKind::driver);
  EXPECT_FALSE(events[0].pci);
  EXPECT_EQ(events[0].detail, "40 records were lost: the kernel wrote them faster than they were read");
  EXPECT_EQ(events[0].key, std::string(kBoot) + "/kmsg/lost before 141");
  EXPECT_EQ(events[1].kind, EventKind::xid);
}

TEST_F(KernelLogTest, ACallReadsABoundedNumberOfRecords) {
  for (int i = 0; i < KernelLog::kMostRecords + 10; ++i) kmsg_.write("usb 1-1: new device");
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(kmsg_.unread(), 10u);
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(kmsg_.unread(), 0u);
}

TEST_F(KernelLogTest, AnErrorIsAnsweredOnceTheEventsBeforeItAreTold) {
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 31, Ch 1");
  const Error denied{Errc::not_permitted, "read the kernel's log: no"};
  kmsg_.fail(denied.code, denied.message);
  kmsg_.fail(denied.code, denied.message);
  EXPECT_EQ(shown(), "xid 0000:01:00.0\n");
  const auto events = log_.take_events();
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error(), denied);
}

TEST_F(KernelLogTest, ALogThatIsOpenedAgainIsNotToldAgain) {
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 31, Ch 1");
  EXPECT_EQ(shown(), "xid 0000:01:00.0\n");
  kmsg_.sequence = 100;
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 31, Ch 1");
  kmsg_.write("NVRM: Xid (PCI:0000:01:00): 79, x", 9);
  EXPECT_EQ(shown(), "xid 0000:01:00.0\n");
}

TEST_F(KernelLogTest, RubbishIsPassedOver) {
  for (const char* record : {"", ";", "x", "4,1", "-;-", "4,18446744073709551616,1,-;NVRM: x"}) kmsg_.put(record);
  EXPECT_EQ(shown(), "");
}

}  // namespace
}  // namespace gpukeeper
