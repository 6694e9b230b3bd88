#include "backend/sysfs/device_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/sysfs/newer_devices.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeviceNamesTest : public ::testing::Test {
 protected:
  DeviceNamesTest() {
    files_.write("/usr/share/libdrm/amdgpu.ids",
                 "# comment\n1.0.0\n73BF,\tC0,\tAMD Radeon RX 6900 XT\n73BF,\tC3,\tAMD Radeon RX 6800\n");
    files_.write("/usr/share/misc/pci.ids",
                 "# comment\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t6818  Pitcairn XT\n"
                 "\t\t174b e217  A board\n\t73bf  Navi 21\n8086  Intel Corporation\n\t56a5  DG2 [Arc A380]\n"
                 "C 03  Display controller\n\t00  VGA compatible controller\n");
  }

  MemoryFiles files_;
  DeviceNames names_{files_};
};

TEST_F(DeviceNamesTest, AmdBoardsAreToldApartByRevision) {
  EXPECT_EQ(names_.name({0x1002, 0x73bf, 0xc0, {}}), "AMD Radeon RX 6900 XT");
  EXPECT_EQ(names_.name({0x1002, 0x73bf, 0xc3, {}}), "AMD Radeon RX 6800");
}

TEST_F(DeviceNamesTest, AnUnknownRevisionIsTheChipOfPciIds) {
  EXPECT_EQ(names_.name({0x1002, 0x73bf, 0xff, {}}), "Navi 21");
  EXPECT_EQ(names_.name({0x1002, 0x73bf, std::nullopt, {}}), "Navi 21");
}

TEST_F(DeviceNamesTest, WhatABoardSaysOfItselfComesBeforePciIds) {
  EXPECT_EQ(names_.name({0x1002, 0x6818, std::nullopt, "Instinct X\n"}), "Instinct X");
}

TEST_F(DeviceNamesTest, AllQuestionsTogetherCostOnePassEach) {
  const NameQuestion questions[] = {{0x8086, 0x56a5, 0, {}}, {0x1002, 0x6818, 0, {}}};
  EXPECT_THAT(names_.names(questions), ElementsAre("DG2 [Arc A380]", "Pitcairn XT"));
  EXPECT_THAT(files_.take_accesses(),
              ElementsAre("/usr/share/libdrm/amdgpu.ids", "/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids"));
  EXPECT_THAT(names_.names(questions), ElementsAre("DG2 [Arc A380]", "Pitcairn XT"));
  EXPECT_THAT(files_.take_accesses(), IsEmpty()) << "what is known is not looked up again";
}

TEST_F(DeviceNamesTest, NoTableIsReadWhenNothingIsAsked) {
  names_.names({});
  EXPECT_THAT(files_.take_accesses(), IsEmpty());
}

TEST_F(DeviceNamesTest, DevicesYoungerThanTheTablesAreKnownHere) {
  EXPECT_EQ(names_.name({0x1002, 0x7550, 0xc0, {}}), "Navi 48 [Radeon RX 9070/9070 XT/9070 GRE]");
  EXPECT_EQ(names_.name({0x8086, 0xe20b, 0, {}}), "Battlemage G21 [Arc B580]");
  EXPECT_EQ(names_.name({0x10de, 0x2b85, std::nullopt, {}}), "GB202 [GeForce RTX 5090]");
  EXPECT_EQ(newer_device(0x1002, 0x0000), std::nullopt);
  EXPECT_EQ(newer_device(0xffff, 0xffff), std::nullopt);
}

TEST_F(DeviceNamesTest, AnUnknownDeviceIsCalledByItsIdsAndNotByAGuess) {
  EXPECT_EQ(names_.name({0x1002, 0xabcd, 0, {}}), "AMD GPU 1002:abcd");
  EXPECT_EQ(names_.name({0x8086, 0xabcd, 0, {}}), "Intel GPU 8086:abcd");
  EXPECT_EQ(names_.name({0x1a03, 0x2000, 0, {}}), "GPU 1a03:2000");
  EXPECT_EQ(names_.name({0x8086, 0x0300, 0, {}}), "Intel GPU 8086:0300") << "a class line is no device";
}

TEST_F(DeviceNamesTest, AMachineWithoutTablesStillNamesDevices) {
  MemoryFiles empty;
  DeviceNames names(empty);
  EXPECT_EQ(names.name({0x1002, 0x73bf, 0xc0, {}}), "AMD GPU 1002:73bf");
}

}  // namespace
}  // namespace gpukeeper
