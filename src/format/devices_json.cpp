#include "format/devices_json.hpp"

#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using D = const Device&;
using R = const Reading&;

template <class T>
Metric<MetricValue> plain(const Metric<T>& fact) {
  if (!fact) return missing(fact.error());
  return MetricValue(*fact);
}

Metric<MetricValue> plain(const Metric<std::uint32_t>& fact) {
  if (!fact) return missing(fact.error());
  return MetricValue(static_cast<std::uint64_t>(*fact));
}

Metric<MetricValue> from_table(std::string_view metric, D device, R reading) {
  const MetricRow* row = find_metric(metric);
  return row != nullptr ? row->value(device, reading) : missing(Missing::not_supported);
}

// What does not change while the driver stays loaded, in the order of the page.
constexpr DeviceFact kFacts[] = {
    {"architecture", "Architecture", [](D d, R) { return plain(d.architecture); }},
    {"compute_capability", "Compute capability", [](D d, R) { return plain(d.compute_capability); }},
    {"driver", "Kernel driver", [](D d, R) { return plain(d.driver); }},
    {"driver_version", "Driver version", [](D d, R) { return plain(d.driver_version); }},
    {"library_version", "Library", [](D d, R) { return plain(d.library_version); }},
    {"cuda_version", "CUDA, at most", [](D d, R) { return plain(d.cuda_version); }},
    {"vbios_version", "VBIOS", [](D d, R) { return plain(d.vbios_version); }},
    {"serial", "Serial number", [](D d, R) { return plain(d.serial); }},
    {"board_part_number", "Board part number", [](D d, R) { return plain(d.board_part_number); }},
    {"pci_id", "PCI id", [](D d, R) { return plain(d.pci_id); }},
    {"pci_subsystem_id", "PCI subsystem", [](D d, R) { return plain(d.pci_subsystem_id); }},
    {"minor_number", "Minor number", [](D d, R) { return plain(d.minor_number); }},
    {"numa_node", "NUMA node", [](D d, R) { return plain(d.numa_node); }},
    {"cpu_affinity", "CPUs nearby", [](D d, R) { return plain(d.cpu_affinity); }},
    {"memory_total_bytes", "Memory", [](D d, R r) { return from_table("memory_total_bytes", d, r); }},
    {"memory_bar1_total_bytes", "Memory the CPU can map",
     [](D d, R r) { return from_table("memory_bar1_total_bytes", d, r); }},
    {"memory_unified", "Shares system memory", [](D d, R r) { return from_table("memory_unified", d, r); }},
    {"power_limit_default_watts", "Power limit, default",
     [](D d, R r) { return from_table("power_limit_default_watts", d, r); }},
    {"power_limit_min_watts", "Power limit, lowest",
     [](D d, R r) { return from_table("power_limit_min_watts", d, r); }},
    {"power_limit_max_watts", "Power limit, highest",
     [](D d, R r) { return from_table("power_limit_max_watts", d, r); }},
    {"clock_graphics_max_mhz", "Graphics clock, highest",
     [](D d, R r) { return from_table("clock_graphics_max_mhz", d, r); }},
    {"clock_memory_max_mhz", "Memory clock, highest",
     [](D d, R r) { return from_table("clock_memory_max_mhz", d, r); }},
    {"temperature_slowdown_celsius", "Slows down at",
     [](D d, R r) { return from_table("temperature_slowdown_celsius", d, r); }},
    {"temperature_shutdown_celsius", "Shuts down at",
     [](D d, R r) { return from_table("temperature_shutdown_celsius", d, r); }},
    {"pcie_generation_max", "PCIe generation, highest",
     [](D d, R r) { return from_table("pcie_generation_max", d, r); }},
    {"pcie_width_max", "PCIe lanes, most", [](D d, R r) { return from_table("pcie_width_max", d, r); }},
    {"interconnect_links", "NVLink or xGMI links", [](D d, R r) { return from_table("interconnect_links", d, r); }},
    {"ecc_enabled", "ECC", [](D d, R r) { return from_table("ecc_enabled", d, r); }},
    {"mig_mode", "MIG", [](D d, R r) { return from_table("mig_mode", d, r); }},
    {"compute_mode", "Compute mode", [](D d, R r) { return from_table("compute_mode", d, r); }},
    {"persistence_mode", "Persistence mode", [](D d, R r) { return from_table("persistence_mode", d, r); }},
};

Json device_json(const DeviceSnapshot& d, const DeviceSnapshot* parent) {
  const Device& device = *d.device;
  Json facts = Json::object();
  Json absent = Json::object();
  for (const DeviceFact& fact : kFacts) {
    const auto value = fact.value(device, d.reading);
    facts[std::string(fact.key)] = value ? to_json(*value) : Json();
    if (!value) absent[std::string(fact.key)] = to_string(value.error());
  }
  Json links = Json::array();
  for (const Link& link : device.links) {
    links.push_back({{"kind", to_string(link.kind)}, {"peer", link.peer}, {"count", link.count}});
  }
  Json partitions = Json::array();
  for (const DeviceSnapshot& partition : d.partitions) partitions.push_back(device_json(partition, &d));
  return {{"index", d.index},
          {"uuid", device.id.text},
          {"vendor", to_string(device.vendor)},
          {"name", device.name},
          {"partition", device.partition ? Json(*device.partition) : Json()},
          {"parent_uuid", parent != nullptr ? Json(parent->device->id.text) : Json()},
          {"source", device.source},
          {"simulated", device.simulated},
          {"recorded", device.recorded},
          {"pci_address", device.pci ? Json(device.pci->to_string()) : Json()},
          {"available", d.available},
          {"reason", text_or_null(d.reason)},
          {"facts", std::move(facts)},
          {"missing", std::move(absent)},
          {"links", std::move(links)},
          {"partitions", std::move(partitions)}};
}

}  // namespace

std::span<const DeviceFact> device_fact_table() {
  return kFacts;
}

std::string devices_json(const Snapshot& snapshot, const ConnectionTable& ways, bool indented) {
  Json devices = Json::array();
  for (const DeviceSnapshot& d : snapshot.devices) devices.push_back(device_json(d, nullptr));
  Json connections = Json::array();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    for (std::size_t j = i + 1; j < ways.size(); ++j) {
      const Connection& c = ways[i][j];
      connections.push_back({{"from", snapshot.devices[i].device->id.text},
                             {"to", snapshot.devices[j].device->id.text},
                             {"way", to_string(c.way)},
                             {"links", c.links > 0 ? Json(c.links) : Json()}});
    }
  }
  return dump({{"schema", "gpukeeper.devices/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"devices", std::move(devices)},
               {"connections", std::move(connections)}},
              indented);
}

}  // namespace gpukeeper
