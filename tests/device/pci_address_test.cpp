#include "device/pci_address.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(PciAddressTest, ReadsEveryFormInUseAndWritesTheKernels) {
  EXPECT_EQ(PciAddress::parse("0000:01:00.0")->to_string(), "0000:01:00.0");
  EXPECT_EQ(PciAddress::parse("00000000:3F:00.0")->to_string(), "0000:3f:00.0");
  EXPECT_EQ(PciAddress::parse("00001580:00:00.0")->to_string(), "1580:00:00.0");
  EXPECT_EQ(PciAddress::parse("01:00.1\n")->to_string(), "0000:01:00.1");
  EXPECT_EQ(PciAddress::parse("10000:e1:00.0")->to_string(), "10000:e1:00.0");
}

TEST(PciAddressTest, RefusesEverythingElse) {
  for (const auto* text : {"", "N/A", "0000:01:00", "0000:01:20.0", "0000:01:00.8", "0000:100:00.0", "g:01:00.0"}) {
    EXPECT_EQ(PciAddress::parse(text), std::nullopt) << text;
  }
}

TEST(PciAddressTest, OrdersAsSlotsAreCounted) {
  EXPECT_LT(*PciAddress::parse("0000:09:00.0"), *PciAddress::parse("0000:10:00.0"));
  EXPECT_LT(*PciAddress::parse("0000:ff:00.0"), *PciAddress::parse("0001:00:00.0"));
}

}  // namespace
}  // namespace gpukeeper
