#include "backend/kernel/pci_errors.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGpu = "/sys/bus/pci/devices/0000:01:00.0/";
constexpr const char* kPort = "/sys/bus/pci/devices/0000:00:01.0/";

class PciErrorsTest : public testing::Test {
 protected:
  PciErrorsTest() {
    tree_.add("0000:01:00.0", "nvidia", "0000:00:01.0/");
    count(kGpu, 0, 0);
    count(kPort, 0, 0);
  }
  void count(const std::string& folder, int receiver, int timeouts) {
    tree_.files.write(folder + "aer_dev_correctable",
                      "RxErr " + std::to_string(receiver) + "\nBadTLP 0\nBadDLLP 0\nRollover 0\nTimeout " +
                          std::to_string(timeouts) + "\nTOTAL_ERR_COR " + std::to_string(receiver + timeouts) + "\n");
    tree_.files.write(folder + "aer_dev_nonfatal", "Undefined 0\nTLP 0\nTOTAL_ERR_NONFATAL 0\n");
    tree_.files.write(folder + "aer_dev_fatal", "Undefined 0\nTLP 0\nTOTAL_ERR_FATAL 0\n");
  }
  std::vector<DeviceEvent> look_later() {
    clock_.advance(10s);
    auto events = errors_.take_events();
    EXPECT_TRUE(events) << events.error().message;
    return events ? *std::move(events) : std::vector<DeviceEvent>();
  }

  PciTree tree_;
  FakeClock clock_;
  PciErrors errors_{tree_.files, clock_};
};

TEST_F(PciErrorsTest, WhatWasCountedBeforeTheFirstLookIsOnlyNoted) {
  count(kGpu, 7, 7);
  EXPECT_TRUE(look_later().empty());
  EXPECT_TRUE(look_later().empty());
}

TEST_F(PciErrorsTest, AnIncreaseIsAnEventThatSaysWhatItIsMadeOf) {
  look_later();
  count(kGpu, 3, 1);
  const auto events = look_later();
  ASSERT_EQ(events.size(), 1u);
  DeviceEvent expected;
  expected.kind = EventKind::pcie_error;
  expected.at = clock_.wall();
  expected.pci = PciAddress::parse("0000:01:00.0");
  expected.count = 4;
  expected.detail = "correctable: 3 RxErr, 1 Timeout";
  expected.source = "pcie counters";
  EXPECT_EQ(events.front(), expected);
  EXPECT_TRUE(look_later().empty());
}

TEST_F(PciErrorsTest, EverySeverityIsTold) {
  look_later();
  tree_.files.write(std::string(kGpu) + "aer_dev_nonfatal", "TLP 1\nTOTAL_ERR_NONFATAL 1\n");
  tree_.files.write(std::string(kGpu) + "aer_dev_fatal", "DLP 2\nTOTAL_ERR_FATAL 2\n");
  const auto events = look_later();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].detail, "non-fatal: 1 TLP");
  EXPECT_EQ(events[1].detail, "fatal: 2 DLP");
}

TEST_F(PciErrorsTest, ThePortAboveTheCardSeesTheOtherHalfOfTheLink) {
  look_later();
  count(kPort, 5, 0);
  const auto events = look_later();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].pci, PciAddress::parse("0000:01:00.0"));
  EXPECT_EQ(events[0].detail, "correctable, at port 0000:00:01.0: 5 RxErr");
}

TEST_F(PciErrorsTest, APortAboveSeveralCardsIsNobodys) {
  tree_.add("0000:02:00.0", "nvidia", "0000:00:01.0/");
  look_later();
  count(kPort, 5, 0);
  EXPECT_TRUE(look_later().empty());
}

TEST_F(PciErrorsTest, CountersThatStartedAnewAreNoErrors) {
  count(kGpu, 7, 0);
  look_later();
  count(kGpu, 0, 0);
  EXPECT_TRUE(look_later().empty());
  count(kGpu, 2, 0);
  EXPECT_EQ(look_later().at(0).count, 2u);
}

TEST_F(PciErrorsTest, TheFilesAreReadEveryTenSeconds) {
  look_later();
  tree_.files.take_accesses();
  clock_.advance(9s);
  EXPECT_TRUE(errors_.take_events());
  EXPECT_TRUE(tree_.files.take_accesses().empty());
}

TEST_F(PciErrorsTest, WithoutCountersItSaysWhy) {
  tree_.files.remove("/sys/bus/pci/devices/0000:01:00.0/aer_dev_correctable");
  const auto events = errors_.take_events();
  ASSERT_FALSE(events);
  EXPECT_EQ(
      events.error(),
      (Error{Errc::not_supported,
             "the kernel counts no PCIe errors of the GPUs: it was built without CONFIG_PCIEAER, or the machine's "
             "firmware or hypervisor keeps them to itself"}));
}

TEST_F(PciErrorsTest, AMachineWithoutGpusHasNothingToCount) {
  tree_.files.remove("/sys/bus/pci/devices/0000:01:00.0");
  EXPECT_TRUE(look_later().empty());
}

TEST(AerCountersTest, OnlyRowsWithANumberCount) {
  const auto counters = parse_aer_counters("RxErr 3\nno number\nTOTAL_ERR_COR 3\n\nx\ndev_cor_errs_bit[7] 1\nBad -1\n");
  EXPECT_EQ(counters, (std::map<std::string, std::uint64_t, std::less<>>{{"RxErr", 3}, {"dev_cor_errs_bit[7]", 1}}));
}

}  // namespace
}  // namespace gpukeeper
