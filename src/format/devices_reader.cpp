#include "format/devices_reader.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "format/bounded_json.hpp"
#include "format/json_metric.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostDevices = 1024;  // partitions of one, too
constexpr std::size_t kMostLinks = 1024;    // of a device

constexpr Vendor kVendors[] = {Vendor::nvidia, Vendor::amd, Vendor::intel, Vendor::other};
constexpr Way kWays[] = {Way::self,     Way::nvlink,      Way::xgmi, Way::one_switch,
                         Way::switches, Way::host_bridge, Way::node, Way::system};
constexpr Link::Kind kLinkKinds[] = {Link::Kind::nvlink, Link::Kind::xgmi, Link::Kind::pcie};

Device device_of(const JsonObject& o, const JsonMetrics& facts) {
  Device device;
  device.id.text = o.text("uuid");
  device.vendor = word_of(kVendors, o.text("vendor"), Vendor::other);
  device.name = o.text("name");
  device.partition = o.text_or_nothing("partition");
  if (const auto parent = o.text_or_nothing("parent_uuid")) device.parent = DeviceId{*parent};
  device.source = o.text("source");
  device.simulated = o.flag("simulated");
  device.recorded = o.flag("recorded");
  device.pci = PciAddress::parse(o.text("pci_address"));
  facts.read(device);
  for (const Json& each : o.list("links")) {
    const JsonObject link(each);
    if (device.links.size() == kMostLinks) break;
    device.links.push_back({.kind = word_of(kLinkKinds, link.text("kind"), Link::Kind::pcie),
                            .peer = link.text("peer"),
                            .count = link.small("count").value_or(1)});
  }
  return device;
}

DeviceSnapshot read(const Json& json) {
  const JsonObject o(json);
  const JsonMetrics facts(o.object("facts"), o.object("missing"));
  DeviceSnapshot d;
  d.index = o.small("index").value_or(0);
  d.device = std::make_shared<const Device>(device_of(o, facts));
  facts.read(d.reading);
  d.available = o.flag("available");
  d.reason = o.text("reason");
  for (const Json& each : o.list("partitions")) {
    if (d.partitions.size() == kMostDevices || d.device->parent) break;  // they have none of their own
    d.partitions.push_back(read(each));
    d.partitions.back().parent_index = d.index;
  }
  return d;
}

ConnectionTable ways_of(const Json& list, const Snapshot& snapshot) {
  const std::size_t count = snapshot.devices.size();
  ConnectionTable ways(count, std::vector<Connection>(count));
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) {
    ways[i][i].way = Way::self;
    places.emplace(snapshot.devices[i].device->id.text, i);
  }
  for (const Json& each : list) {
    const JsonObject o(each);
    const auto from = places.find(o.text("from"));
    const auto to = places.find(o.text("to"));
    if (from == places.end() || to == places.end() || from == to) continue;
    const Connection way{word_of(kWays, o.text("way"), Way::unknown), o.small("links").value_or(0)};
    ways[from->second][to->second] = ways[to->second][from->second] = way;
  }
  return ways;
}

}  // namespace

Result<DevicesView> parse_devices(std::string_view json) {
  const Json document = parse_bounded(json);
  const JsonObject o(document);
  const Json& devices = o.list("devices");
  const auto taken_at = o.time("taken_at");
  if (o.text("schema") != "gpukeeper.devices/1" || !taken_at || devices.size() > kMostDevices) {
    return fail(Errc::invalid_argument, "is no document of gpukeeper.devices/1");
  }
  DevicesView view;
  view.snapshot.taken_at = *taken_at;
  view.snapshot.host = o.text("host");
  for (const Json& each : devices) view.snapshot.devices.push_back(read(each));
  view.ways = ways_of(o.list("connections"), view.snapshot);
  return view;
}

}  // namespace gpukeeper
