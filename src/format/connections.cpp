#include "format/connections.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

struct Row {
  Way way;
  std::string_view key;
  std::string_view letters;
  std::string_view words;
};

constexpr Row kRows[] = {
    {Way::self, "self", "X", "the device itself"},
    {Way::nvlink, "nvlink", "NV", "NVLink, with the number of links"},
    {Way::xgmi, "xgmi", "XGMI", "AMD Infinity Fabric"},
    {Way::one_switch, "same_pcie_switch", "PIX", "at most one PCIe switch"},
    {Way::switches, "pcie_switches", "PXB", "several PCIe switches, but no host bridge"},
    {Way::host_bridge, "same_host_bridge", "PHB", "the PCIe host bridge of one CPU"},
    {Way::node, "same_numa_node", "NODE", "between host bridges of one NUMA node"},
    {Way::system, "across_numa_nodes", "SYS", "between NUMA nodes"},
    {Way::unknown, "unknown", "?", "not known"},
};

const Row& row(Way way) {
  return *std::ranges::find(kRows, way, &Row::way);
}

// The links of one kind from a to b; a link to "switch" reaches every device that has links to a switch as well.
std::uint32_t links(const Device& a, const Device& b, Link::Kind kind) {
  std::uint32_t direct = 0;
  std::uint32_t to_switch = 0;
  for (const Link& link : a.links) {
    if (link.kind != kind) continue;
    const auto peer = PciAddress::parse(link.peer);
    if (peer && b.pci && *peer == *b.pci) direct += link.count;
    if (link.peer == "switch") to_switch += link.count;
  }
  if (direct > 0 || to_switch == 0) return direct;
  std::uint32_t other = 0;
  for (const Link& link : b.links) {
    if (link.kind == kind && link.peer == "switch") other += link.count;
  }
  return std::min(to_switch, other);
}

// The components of a device's place in the PCI tree: {"pci0000:00", "0000:00:01.0", "0000:01:00.0"}; empty when
// unknown.
std::vector<std::string> branch(const Device& device, const Files& files) {
  if (!device.pci || device.simulated || device.recorded) return {};
  const auto link = files.read_link("/sys/bus/pci/devices/" + device.pci->to_string());
  if (!link) return {};
  std::vector<std::string> result;
  for (const auto part : split(*link, '/')) {
    if (part.starts_with("pci") || !result.empty()) result.emplace_back(part);
  }
  return result;
}

Way pcie_way(const Device& a, const Device& b, const Files& files) {
  const auto one = branch(a, files);
  const auto two = branch(b, files);
  std::size_t common = 0;
  while (common < std::min(one.size(), two.size()) && one[common] == two[common]) ++common;
  if (common > 1) {
    // Below the last common bridge each way passes a downstream port and the device; more means further switches.
    const auto longest = std::max(one.size(), two.size()) - common;
    return longest <= 2 ? Way::one_switch : Way::switches;
  }
  if (common == 1) return Way::host_bridge;
  if (a.numa_node && b.numa_node) return *a.numa_node == *b.numa_node ? Way::node : Way::system;
  return Way::unknown;
}

Connection connection(const Device& a, const Device& b, const Files& files) {
  for (const auto& [kind, way] : {std::pair(Link::Kind::nvlink, Way::nvlink), std::pair(Link::Kind::xgmi, Way::xgmi)}) {
    if (const auto count = std::max(links(a, b, kind), links(b, a, kind)); count > 0) return {way, count};
  }
  return {pcie_way(a, b, files), 0};
}

}  // namespace

std::string_view to_string(Way way) {
  return row(way).key;
}

std::string_view describe(Way way) {
  return row(way).words;
}

std::string short_text(const Connection& connection) {
  const std::string letters(row(connection.way).letters);
  if (connection.way == Way::nvlink) return fmt::format("{}{}", letters, connection.links);
  if (connection.way == Way::xgmi && connection.links > 1) return fmt::format("{} x{}", letters, connection.links);
  return letters;
}

ConnectionTable connections(const Snapshot& snapshot, const Files& files) {
  const auto n = snapshot.devices.size();
  ConnectionTable result(n, std::vector<Connection>(n, Connection{Way::self, 0}));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      result[i][j] = connection(*snapshot.devices[i].device, *snapshot.devices[j].device, files);
      result[j][i] = result[i][j];
    }
  }
  return result;
}

}  // namespace gpukeeper
