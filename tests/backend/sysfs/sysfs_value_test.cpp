#include "backend/sysfs/sysfs_value.hpp"

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

TEST(SysfsValueTest, LinkSpeedsAreGenerations) {
  EXPECT_EQ(parse_link_generation("2.5 GT/s PCIe\n"), 1u);
  EXPECT_EQ(parse_link_generation("5.0 GT/s PCIe"), 2u);
  EXPECT_EQ(parse_link_generation("8 GT/s"), 3u);
  EXPECT_EQ(parse_link_generation("16.0 GT/s PCIe"), 4u);
  EXPECT_EQ(parse_link_generation("32.0 GT/s PCIe"), 5u);
  EXPECT_EQ(parse_link_generation("64.0 GT/s PCIe"), 6u);
  for (const auto* text : {"Unknown", "Unknown speed", "", "12.0 GT/s", "-8.0", "1e300", "nan"}) {
    EXPECT_EQ(parse_link_generation(text), std::nullopt) << text;
  }
}

TEST(SysfsValueTest, ALinkHasOneTo32Lanes) {
  EXPECT_EQ(parse_link_width("16\n"), 16u);
  for (const auto* text : {"0", "255", "-1", "", "x16"}) EXPECT_EQ(parse_link_width(text), std::nullopt) << text;
}

TEST(SysfsValueTest, UeventValuesAreFoundByTheirWholeKey) {
  const std::string text = "DRIVER=\nPCI_ID=1002:7550\nXPCI_ID=1\nPCI_ID_X=2\nPCI_SUBSYS_ID = 3\n";
  EXPECT_EQ(uevent_value(text, "PCI_ID"), "1002:7550");
  EXPECT_EQ(uevent_value(text, "DRIVER"), std::nullopt);
  EXPECT_EQ(uevent_value(text, "PCI_SUBSYS_ID"), std::nullopt);
  EXPECT_EQ(uevent_value("", "PCI_ID"), std::nullopt);
}

TEST(SysfsValueTest, PciIdsAreTwoNumbersOf16Bits) {
  EXPECT_EQ(parse_pci_id("8086:E20B"), std::pair(std::uint16_t{0x8086}, std::uint16_t{0xe20b}));
  for (const auto* text : {"", "8086", "8086:", ":1", "8086:e20b:1", "18086:1", "zz:1"}) {
    EXPECT_EQ(parse_pci_id(text), std::nullopt) << text;
  }
}

TEST(SysfsValueTest, NumberedNamesEndInDigitsOnly) {
  EXPECT_EQ(numbered("card12", "card"), 12u);
  for (const auto* name : {"card", "card1-DP-1", "renderD128", "card-1", "card+1", "card99999999999"}) {
    EXPECT_EQ(numbered(name, "card"), std::nullopt) << name;
  }
}

TEST(SysfsValueTest, AnAbsentNumberCarriesItsReason) {
  MemoryFiles files;
  files.write("/a", "-12\n");
  files.write("/empty", "\n");
  files.write("/text", "N/A\n");
  files.write("/secret", "1\n");
  files.fail("/secret", Errc::not_permitted);
  EXPECT_EQ(read_number(files, "/a"), -12);
  EXPECT_EQ(read_count(files, "/a"), Metric<std::uint64_t>(missing(Missing::failed))) << "a count is never negative";
  EXPECT_EQ(read_number(files, "/empty"), Metric<std::int64_t>(missing(Missing::not_supported)));
  EXPECT_EQ(read_number(files, "/text"), Metric<std::int64_t>(missing(Missing::failed)));
  EXPECT_EQ(read_number(files, "/secret"), Metric<std::int64_t>(missing(Missing::not_permitted)));
  EXPECT_EQ(read_number(files, "/none"), Metric<std::int64_t>(missing(Missing::not_supported)));
  EXPECT_EQ(read_text(files, "/empty"), Metric<std::string>(missing(Missing::not_supported)));
}

}  // namespace
}  // namespace gpukeeper
