#include "backend/sysfs/pci_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::Not;

class PciBusTest : public ::testing::Test {
 protected:
  void function(const std::string& address, const char* vendor, const char* device, const char* kind,
                const char* driver) {
    const auto folder = "/sys/bus/pci/devices/" + address;
    files_.write(folder + "/vendor", std::string(vendor) + "\n");
    files_.write(folder + "/device", std::string(device) + "\n");
    files_.write(folder + "/class", std::string(kind) + "\n");
    files_.write(folder + "/uevent", driver ? uevent(driver) : "PCI_ID=x\n");
  }
  static std::string uevent(const std::string& driver) { return "DRIVER=" + driver + "\nPCI_ID=x\n"; }

  MemoryFiles files_;
  PciBus bus_{files_};
};

TEST_F(PciBusTest, FindsDisplayControllersAndAcceleratorsByAddress) {
  function("0000:c1:00.0", "0x1002", "0x74a1", "0x120000", "amdgpu");
  function("0000:01:00.0", "0x10de", "0x2704", "0x030000", nullptr);
  function("0000:01:00.1", "0x10de", "0x22bb", "0x040300", "snd_hda_intel");
  function("0000:00:1f.3", "0x8086", "0x7a50", "0x040300", "snd_hda_intel");
  const auto gpus = bus_.gpus();
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_EQ(gpus[0].address.to_string(), "0000:01:00.0");
  EXPECT_EQ(gpus[0].driver, "");
  EXPECT_EQ(gpus[1].device, 0x74a1);
  EXPECT_EQ(gpus[1].driver, "amdgpu");
  EXPECT_EQ(bus_.gpus(0x10de).size(), 1u);
  EXPECT_TRUE(bus_.gpus(0x8086).empty());
}

TEST_F(PciBusTest, WhatNeverChangesIsReadOnce) {
  function("0000:01:00.0", "0x10de", "0x2704", "0x030000", "nvidia");
  bus_.gpus();
  files_.take_accesses();
  bus_.gpus();
  EXPECT_THAT(files_.take_accesses(), Not(Contains(EndsWith("/class"))));
}

TEST_F(PciBusTest, AFunctionThatComesBackIsIdentifiedAnew) {
  function("0000:01:00.0", "0x10de", "0x2704", "0x030000", "nvidia");
  function("0000:02:00.0", "0x10de", "0x2704", "0x030000", "nvidia");
  EXPECT_EQ(bus_.gpus().size(), 2u);
  files_.remove("/sys/bus/pci/devices/0000:02:00.0");
  EXPECT_EQ(bus_.gpus().size(), 1u);
  function("0000:02:00.0", "0x8086", "0x56a5", "0x030000", "xe");
  EXPECT_EQ(bus_.gpus(0x8086).size(), 1u);
}

TEST_F(PciBusTest, WithoutSysfsThereIsNone) {
  EXPECT_TRUE(bus_.gpus().empty());
}

}  // namespace
}  // namespace gpukeeper
