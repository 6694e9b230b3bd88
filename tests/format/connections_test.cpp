#include "format/connections.hpp"

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

Device at(std::string pci, std::optional<std::uint32_t> numa = {}) {
  Device d = facts("GPU-" + pci, "A", pci);
  if (numa) d.numa_node = *numa;
  return d;
}

Connection between(const Device& a, const Device& b, const MemoryFiles& files) {
  return connections(machine({device(0, a, busy()), device(1, b, busy())}), files)[0][1];
}

void hang(MemoryFiles& files, const std::string& pci, const std::string& place) {
  files.link("/sys/bus/pci/devices/" + pci, "../../../devices/" + place);
}

TEST(ConnectionsTest, LinksOfTheirOwnComeFirst) {
  Device a = at("0000:01:00.0");
  Device b = at("0000:02:00.0");
  a.links = {{Link::Kind::nvlink, "0000:02:00.0", 4}};
  EXPECT_EQ(between(a, b, {}), (Connection{Way::nvlink, 4}));
  a.links = {{Link::Kind::nvlink, "switch", 18}};
  EXPECT_EQ(between(a, b, {}).way, Way::unknown);  // b has no link to a switch
  b.links = {{Link::Kind::nvlink, "switch", 16}};
  EXPECT_EQ(between(a, b, {}), (Connection{Way::nvlink, 16}));
  a.links = {};
  b.links = {{Link::Kind::xgmi, "0000:01:00.0", 1}};
  EXPECT_EQ(between(a, b, {}), (Connection{Way::xgmi, 1}));
}

TEST(ConnectionsTest, ThePlaceOnThePciTreeComesNext) {
  struct Case {
    std::string a, b;
    Way way;
  };
  const Case cases[] = {
      // Two ports of one switch behind a root port.
      {"pci0000:00/0000:00:01.0/0000:05:00.0/0000:06:00.0/0000:01:00.0",
       "pci0000:00/0000:00:01.0/0000:05:00.0/0000:06:01.0/0000:02:00.0", Way::one_switch},
      // A second switch below the first.
      {"pci0000:00/0000:00:01.0/0000:05:00.0/0000:06:00.0/0000:01:00.0",
       "pci0000:00/0000:00:01.0/0000:05:00.0/0000:06:01.0/0000:07:00.0/0000:08:00.0/0000:02:00.0", Way::switches},
      {"pci0000:00/0000:00:01.0/0000:01:00.0", "pci0000:00/0000:00:02.0/0000:02:00.0", Way::host_bridge},
      {"pci0000:00/0000:00:01.0/0000:01:00.0", "pci0000:80/0000:80:01.0/0000:02:00.0", Way::unknown},
  };
  for (const Case& c : cases) {
    MemoryFiles files;
    hang(files, "0000:01:00.0", c.a);
    hang(files, "0000:02:00.0", c.b);
    EXPECT_EQ(between(at("0000:01:00.0"), at("0000:02:00.0"), files).way, c.way) << c.b;
  }
}

TEST(ConnectionsTest, NumaNodesDecideLast) {
  EXPECT_EQ(between(at("0000:01:00.0", 0), at("0000:02:00.0", 0), {}).way, Way::node);
  EXPECT_EQ(between(at("0000:01:00.0", 0), at("0000:02:00.0", 1), {}).way, Way::system);
  EXPECT_EQ(between(at("0000:01:00.0", 0), at("0000:02:00.0"), {}).way, Way::unknown);
}

TEST(ConnectionsTest, MadeUpAndRecordedDevicesAreNotLookedForOnThisMachine) {
  MemoryFiles files;
  Device a = at("0000:01:00.0");
  a.simulated = true;
  Device b = at("0000:02:00.0");
  b.recorded = true;
  EXPECT_EQ(between(a, b, files).way, Way::unknown);
  EXPECT_TRUE(files.take_accesses().empty());
}

}  // namespace
}  // namespace gpukeeper
