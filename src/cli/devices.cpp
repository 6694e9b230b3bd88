#include "cli/devices.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cli/notes.hpp"
#include "cli/status_table.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

struct Fact {
  std::string_view key;    // in JSON
  std::string_view label;  // for people
  Metric<MetricValue> (*value)(const Device&, const Reading&);
};

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
constexpr Fact kFacts[] = {
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

std::string for_people(const Fact& fact, const MetricValue& value, bool utf8) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  if (const auto* bytes = std::get_if<std::uint64_t>(&value); bytes != nullptr && fact.key.ends_with("_bytes")) {
    return size_text(*bytes);
  }
  std::string text = gpukeeper::to_string(value);
  if (fact.key.ends_with("_watts")) text += " W";
  if (fact.key.ends_with("_mhz")) text += " MHz";
  if (fact.key.ends_with("_celsius")) text += utf8 ? " °C" : " C";
  return text;
}

void describe_device(std::string& page, const DeviceSnapshot& d, const RenderOptions& options) {
  const Device& device = *d.device;
  const auto line = [&](std::string_view label, std::string_view value, Ink ink = Ink::plain) {
    page += paint({{fmt::format("  {:<26}", label), Ink::faint}, {harmless(value, options.utf8), ink}}, options) + "\n";
  };
  std::vector<Span> title{{fmt::format("GPU {}", d.index), Ink::strong},
                          {"  " + harmless(device.name, options.utf8), Ink::strong}};
  page += paint(title, options) + "\n";
  if (const auto label = origin(device); !label.empty()) {
    line("Origin", fmt::format("{}: this is no hardware of this machine", label), Ink::warn);
  }
  line("UUID", device.id.text);
  line("Vendor", to_string(device.vendor));
  if (device.pci) line("PCI address", device.pci->to_string());
  line("Read by", device.source);
  if (!d.reason.empty()) line("State", d.reason, Ink::warn);
  for (const Fact& fact : kFacts) {
    const auto value = fact.value(device, d.reading);
    if (value) {
      line(fact.label, for_people(fact, *value, options.utf8));
    } else if (value.error() != Missing::not_supported) {
      line(fact.label, fmt::format("- ({})", describe(value.error())), Ink::faint);
    }
  }
  for (const DeviceSnapshot& partition : d.partitions) {
    const auto total = partition.reading.memory_total;
    line(fmt::format("Partition {}", index_text({&partition, &d})),
         fmt::format("{}  {}{}", partition.device->partition.value_or(partition.device->name),
                     partition.device->id.text, total ? "  " + size_text(total->value()) : ""));
  }
}

void describe_topology(std::string& page, const Snapshot& snapshot, const Topology& topology,
                       const RenderOptions& options) {
  std::vector<Column> columns{{.header = "", .align = Column::Align::left}};
  for (const DeviceSnapshot& d : snapshot.devices) columns.push_back({.header = fmt::format("GPU {}", d.index)});
  columns.push_back({.header = "NUMA", .priority = 2, .only_if_filled = true});
  columns.push_back({.header = "CPUS NEARBY", .priority = 1, .shrinks_to = 12, .only_if_filled = true});
  Table table(std::move(columns));
  std::set<Way> used;
  for (std::size_t i = 0; i < topology.size(); ++i) {
    const Device& device = *snapshot.devices[i].device;
    std::vector<Cell> cells{Cell(fmt::format("GPU {}", snapshot.devices[i].index), Ink::faint)};
    for (const Connection& connection : topology[i]) {
      cells.emplace_back(short_text(connection), connection.way == Way::self ? Ink::faint : Ink::plain);
      if (connection.way != Way::self) used.insert(connection.way);
    }
    cells.emplace_back(device.numa_node ? fmt::format("{}", *device.numa_node) : "-");
    cells.emplace_back(harmless(device.cpu_affinity.value_or("-"), options.utf8));
    table.add_row(std::move(cells));
  }
  page += paint({{"How they are connected", Ink::strong}}, options) + "\n";
  for (const std::string& line : table.render(options)) page += line + "\n";
  page += "\n";
  for (const Way way : used) {
    page +=
        paint({{fmt::format("  {:<6}{}", short_text({way, 0}) == "NV0" ? "NVn" : short_text({way, 0}), describe(way)),
                Ink::faint}},
              options) +
        "\n";
  }
}

Json device_json(const DeviceSnapshot& d, const DeviceSnapshot* parent) {
  const Device& device = *d.device;
  Json facts = Json::object();
  Json absent = Json::object();
  for (const Fact& fact : kFacts) {
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

std::string devices_json(const Snapshot& snapshot, const Topology& topology) {
  Json devices = Json::array();
  for (const DeviceSnapshot& d : snapshot.devices) devices.push_back(device_json(d, nullptr));
  Json connections = Json::array();
  for (std::size_t i = 0; i < topology.size(); ++i) {
    for (std::size_t j = i + 1; j < topology.size(); ++j) {
      const Connection& c = topology[i][j];
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
              true);
}

std::string render_devices(const Snapshot& snapshot, const Topology& topology, std::span<const Finding> findings,
                           const RenderOptions& options) {
  if (snapshot.devices.empty()) return render_status(snapshot, findings, options);
  std::string page;
  for (const DeviceSnapshot& d : snapshot.devices) {
    describe_device(page, d, options);
    page += "\n";
  }
  if (snapshot.devices.size() > 1) {
    describe_topology(page, snapshot, topology, options);
  } else {
    page.pop_back();
  }
  return page;
}

Exit devices(const DevicesOptions& options, Context& context) {
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  const auto chosen = select_devices(*(*feed)->next(), options.devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  const auto ways = topology(*chosen, context.files);
  if (options.json) return print(context, devices_json(*chosen, ways) + "\n");
  RenderOptions render = render_options(context);
  if (!context.screen().terminal && !context.environment("COLUMNS")) render.width = 1000;  // a pipe has no edge
  return print(context, render_devices(*chosen, ways, (*feed)->findings(), render));
}

}  // namespace gpukeeper::cli
