#include "backend/sysfs/drm_card.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/sysfs/pci_facts.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kDrm = "/sys/class/drm";

class DrmCardTest : public ::testing::Test {
 protected:
  void card(int minor, const std::string& uevent) {
    files_.write(kDrm + "/card" + std::to_string(minor) + "/device/uevent", uevent);
  }
  std::vector<DrmCard> cards() { return drm_cards(files_).value(); }

  MemoryFiles files_;
};

TEST_F(DrmCardTest, AMachineWithoutGraphicsHasNoCards) {
  EXPECT_THAT(cards(), IsEmpty());
}

TEST_F(DrmCardTest, AFolderThatCannotBeListedIsAnErrorThatSaysWhy) {
  files_.fail(kDrm, Errc::not_permitted);
  const auto cards = drm_cards(files_);
  ASSERT_FALSE(cards);
  EXPECT_EQ(cards.error().code, Errc::unavailable);
  EXPECT_THAT(cards.error().message, HasSubstr("/sys/class/drm"));
}

TEST_F(DrmCardTest, TellsDriverAddressAndIdsOfACard) {
  card(1, "DRIVER=xe\nPCI_CLASS=38000\nPCI_ID=8086:E20B\nPCI_SUBSYS_ID=8086:1100\nPCI_SLOT_NAME=0000:09:00.0\n");
  files_.write(kDrm + "/card1/device/drm/card1/dev", "226:1\n");
  files_.write(kDrm + "/card1/device/drm/renderD129/dev", "226:129\n");
  const auto found = cards();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].driver, "xe");
  EXPECT_EQ(found[0].minor, 1u);
  EXPECT_EQ(found[0].render_minor, 129u);
  EXPECT_EQ(found[0].pci, PciAddress::parse("0000:09:00.0"));
  EXPECT_EQ(found[0].vendor_id, 0x8086);
  EXPECT_EQ(found[0].device_id, 0xe20b);
  EXPECT_EQ(found[0].subsystem_vendor, 0x8086);
  EXPECT_EQ(found[0].subsystem_device, 0x1100);
  EXPECT_EQ(found[0].class_code, 0x38000u);
  EXPECT_EQ(found[0].device_folder, "/sys/class/drm/card1/device");
  EXPECT_EQ(found[0].id().text, "PCI-0000:09:00.0");
}

TEST_F(DrmCardTest, ConnectorsRenderNodesAndOtherNamesAreNoCards) {
  card(0, "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n");
  files_.write(kDrm + "/card0-DP-1/status", "connected\n");
  files_.write(kDrm + "/renderD128/dev", "226:128\n");
  files_.write(kDrm + "/version", "drm 1.1.0 20060810\n");
  EXPECT_EQ(cards().size(), 1u);
}

TEST_F(DrmCardTest, CardsComeInPciOrderAndThoseWithoutAddressLast) {
  card(0, "DRIVER=vc4-drm\nOF_COMPATIBLE_0=brcm,bcm2711-vc5\n");
  card(1, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0a:00.0\n");
  card(10, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n");
  std::vector<std::string> ids;
  for (const auto& found : cards()) ids.push_back(found.id().text);
  EXPECT_THAT(ids, ElementsAre("PCI-0000:03:00.0", "PCI-0000:0a:00.0", "DRM-card0"));
}

TEST_F(DrmCardTest, TheDriverLinkTellsWhatTheUeventDoesNot) {
  card(0, "PCI_SLOT_NAME=0000:01:00.0\n");
  files_.link(kDrm + "/card0/device/driver", "../../../bus/pci/drivers/nouveau");
  EXPECT_EQ(cards()[0].driver, "nouveau");
}

TEST_F(DrmCardTest, FilesPaddedWithNulAreReadAsText) {
  card(0, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0c:00.0\nPCI_ID=1002:73BF" + std::string(4000, '\0'));
  EXPECT_EQ(cards()[0].device_id, 0x73bf);
}

TEST_F(DrmCardTest, AVirtioCardHasTheAddressAndIdsOfItsPciFunction) {
  files_.link(kDrm + "/card0", "../../devices/pci0000:00/0000:00:02.0/virtio1/drm/card0");
  card(0, "DRIVER=virtio_gpu\nMODALIAS=virtio:d00000010v00001AF4\n");
  files_.write("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x1af4\n");
  files_.write("/sys/bus/pci/devices/0000:00:02.0/device", "0x1050\n");
  const auto found = cards();
  EXPECT_EQ(found[0].id().text, "PCI-0000:00:02.0");
  EXPECT_EQ(found[0].vendor_id, 0x1af4);
  EXPECT_EQ(found[0].device_id, 0x1050);
}

TEST_F(DrmCardTest, AUsbDisplayIsNotTakenForItsUsbController) {
  files_.link(kDrm + "/card1", "../../devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/drm/card1");
  card(1, "DRIVER=udl\n");
  EXPECT_EQ(cards()[0].id().text, "DRM-card1");
}

TEST_F(DrmCardTest, NoFailedAccessLosesTheListOrCrashesIt) {
  card(0, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\nPCI_ID=1002:7550\n");
  files_.link(kDrm + "/card0", "../../devices/pci0000:00/0000:03:00.0/drm/card0");
  files_.take_accesses();
  ASSERT_EQ(cards().size(), 1u);
  const auto accesses = files_.take_accesses().size();
  for (std::size_t n = 1; n <= accesses; ++n) {
    files_.fail_nth(static_cast<int>(n));
    const auto found = drm_cards(files_);
    if (n == 1) {
      EXPECT_FALSE(found);
    } else {
      ASSERT_TRUE(found) << n;
      EXPECT_EQ(found->size(), 1u);
    }
  }
}

class PciFactsTest : public DrmCardTest {
 protected:
  // A discrete Intel card as it stands in a machine: a switch on the card, its upstream port below a root port.
  void plug_in() {
    files_.link(kDrm + "/card1",
                "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:03:00.0/drm/card1");
    card(1, "DRIVER=xe\nPCI_ID=8086:E20B\nPCI_SUBSYS_ID=8086:1100\nPCI_SLOT_NAME=0000:03:00.0\n");
    link(kDrm + "/card1/device", "2.5 GT/s PCIe", 1, "2.5 GT/s PCIe", 1);
    port("0000:02:01.0", "0x8086", "2.5 GT/s PCIe", 1, "2.5 GT/s PCIe", 1);
    port("0000:01:00.0", "0x8086", "8.0 GT/s PCIe", 8, "16.0 GT/s PCIe", 8);
    port("0000:00:01.0", "0x1022", "8.0 GT/s PCIe", 8, "8.0 GT/s PCIe", 16);
  }
  void port(const std::string& address, const std::string& vendor, const std::string& speed, int width,
            const std::string& max_speed, int max_width) {
    files_.write("/sys/bus/pci/devices/" + address + "/vendor", vendor + "\n");
    link("/sys/bus/pci/devices/" + address, speed, width, max_speed, max_width);
  }
  void link(const std::string& folder, const std::string& speed, int width, const std::string& max_speed,
            int max_width) {
    files_.write(folder + "/current_link_speed", speed + "\n");
    files_.write(folder + "/current_link_width", std::to_string(width) + "\n");
    files_.write(folder + "/max_link_speed", max_speed + "\n");
    files_.write(folder + "/max_link_width", std::to_string(max_width) + "\n");
  }
  PcieLink read() { return read_link_state(files_, find_link(files_, cards().at(0))); }
};

TEST_F(PciFactsTest, FillsInWhatTheKernelTells) {
  plug_in();
  files_.write(kDrm + "/card1/device/numa_node", "1\n");
  files_.write(kDrm + "/card1/device/local_cpulist", "0-15,32-47\n");
  files_.write("/proc/sys/kernel/osrelease", "6.12.9-amd64\n");
  Device device;
  add_pci_facts(files_, cards()[0], device);
  EXPECT_EQ(device.id.text, "PCI-0000:03:00.0");
  EXPECT_EQ(device.vendor, Vendor::intel);
  EXPECT_EQ(device.driver, "xe");
  EXPECT_EQ(device.driver_version, "6.12.9-amd64");
  EXPECT_EQ(device.pci_id, "8086:e20b");
  EXPECT_EQ(device.pci_subsystem_id, "8086:1100");
  EXPECT_EQ(device.numa_node, 1u);
  EXPECT_EQ(device.cpu_affinity, "0-15,32-47");
  EXPECT_EQ(device.minor_number, 1u);
}

TEST_F(PciFactsTest, ANodeOfMinusOneIsAbsent) {
  plug_in();
  files_.write(kDrm + "/card1/device/numa_node", "-1\n");
  Device device;
  add_pci_facts(files_, cards()[0], device);
  EXPECT_EQ(device.numa_node, Metric<std::uint32_t>(missing(Missing::not_supported)));
}

TEST_F(PciFactsTest, ADriverFromOutsideTheKernelTellsItsOwnVersion) {
  plug_in();
  files_.write("/proc/sys/kernel/osrelease", "6.12.9-amd64\n");
  files_.write("/sys/module/xe/version", "1.2.3\n");
  Device device;
  add_pci_facts(files_, cards()[0], device);
  EXPECT_EQ(device.driver_version, "1.2.3");
}

TEST_F(PciFactsTest, TheLinkOfACardWithASwitchIsThatOfItsUpstreamPort) {
  plug_in();
  const auto link = read();
  EXPECT_TRUE(link.climbed);
  EXPECT_EQ(link.generation, 3u);
  EXPECT_EQ(link.width, 8u);
  EXPECT_EQ(link.generation_max, 3u) << "the slot can do no more";
  EXPECT_EQ(link.width_max, 8u) << "the card has no more";
}

TEST_F(PciFactsTest, ACardBelowASwitchOfAnotherMakerIsReadItself) {
  plug_in();
  files_.write("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10b5\n");
  files_.write("/sys/bus/pci/devices/0000:02:01.0/vendor", "0x10b5\n");
  const auto link = read();
  EXPECT_FALSE(link.climbed);
  EXPECT_EQ(link.width, 1u);
}

TEST_F(PciFactsTest, ACardRightBelowARootPortOfItsOwnMakerIsReadItself) {
  files_.link(kDrm + "/card0", "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/card0");
  card(0, "DRIVER=radeon\nPCI_ID=1002:6818\nPCI_SLOT_NAME=0000:01:00.0\n");
  link(kDrm + "/card0/device", "8.0 GT/s PCIe", 16, "8.0 GT/s PCIe", 16);
  port("0000:00:01.0", "0x1002", "8.0 GT/s PCIe", 16, "5.0 GT/s PCIe", 16);
  const auto link = read();
  EXPECT_FALSE(link.climbed);
  EXPECT_EQ(link.generation, 3u);
  EXPECT_EQ(link.generation_max, 2u);
}

TEST_F(PciFactsTest, AGpuInsideTheProcessorHasNoLink) {
  card(0, "DRIVER=i915\nPCI_ID=8086:9B41\nPCI_SLOT_NAME=0000:00:02.0\n");
  files_.write(kDrm + "/card0/device/current_link_speed", "Unknown\n");
  files_.write(kDrm + "/card0/device/current_link_width", "0\n");
  const auto link = read();
  EXPECT_EQ(link.generation, Metric<std::uint32_t>(missing(Missing::not_supported)));
  EXPECT_EQ(link.width, Metric<std::uint32_t>(missing(Missing::not_supported)));
  Reading reading{Missing::not_supported};
  set_link(reading, link);
  EXPECT_EQ(reading.pcie_width, Metric<Count>(missing(Missing::not_supported)));
}

}  // namespace
}  // namespace gpukeeper
