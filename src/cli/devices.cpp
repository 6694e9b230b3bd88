#include "cli/devices.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/notes.hpp"
#include "cli/past_of_daemon.hpp"
#include "cli/status_table.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "format/devices_json.hpp"
#include "format/devices_reader.hpp"

namespace gpukeeper::cli {
namespace {

std::string for_people(const DeviceFact& fact, const MetricValue& value, bool utf8) {
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
  for (const DeviceFact& fact : device_fact_table()) {
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

void describe_topology(std::string& page, const Snapshot& snapshot, const ConnectionTable& ways,
                       const RenderOptions& options) {
  std::vector<Column> columns{{.header = "", .align = Column::Align::left}};
  for (const DeviceSnapshot& d : snapshot.devices) columns.push_back({.header = fmt::format("GPU {}", d.index)});
  columns.push_back({.header = "NUMA", .priority = 2, .only_if_filled = true});
  columns.push_back({.header = "CPUS NEARBY", .priority = 1, .shrinks_to = 12, .only_if_filled = true});
  Table table(std::move(columns));
  std::set<Way> used;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const Device& device = *snapshot.devices[i].device;
    std::vector<Cell> cells{Cell(fmt::format("GPU {}", snapshot.devices[i].index), Ink::faint)};
    for (const Connection& connection : ways[i]) {
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

Exit show(const DevicesView& view, std::span<const Finding> findings, const DevicesOptions& options, Context& context) {
  if (options.json) return print(context, devices_json(view.snapshot, view.ways, true) + "\n");
  RenderOptions render = render_options(context);
  if (!context.screen().terminal && !context.environment("COLUMNS")) render.width = 1000;  // a pipe has no edge
  const std::string machine = options.asks ? fmt::format("The GPUs of {}\n\n", harmless(view.snapshot.host)) : "";
  return print(context, machine + render_devices(view.snapshot, view.ways, findings, render));
}

Exit show_answer(const std::string& answer, const DevicesOptions& options, Context& context) {
  const auto view = parse_devices(answer);
  if (view) return show(*view, {}, options, context);
  return fail(Errc::internal, fmt::format("the gpukeeper daemon's answer {}", view.error().message));
}

}  // namespace

std::string render_devices(const Snapshot& snapshot, const ConnectionTable& ways, std::span<const Finding> findings,
                           const RenderOptions& options) {
  if (snapshot.devices.empty()) return render_status(snapshot, findings, options);
  std::string page;
  for (const DeviceSnapshot& d : snapshot.devices) {
    describe_device(page, d, options);
    page += "\n";
  }
  if (snapshot.devices.size() > 1) {
    describe_topology(page, snapshot, ways, options);
  } else {
    page.pop_back();
  }
  return page;
}

Exit devices(const DevicesOptions& options, Context& context) {
  if (options.asks) {
    const std::string target =
        target_of("/api/v1/devices", {{"device", fmt::format("{}", fmt::join(options.devices, ","))}});
    const auto answer = ask_daemon(target, options.daemon, context);
    if (!answer) return tl::make_unexpected(answer.error());
    if (*answer) return show_answer(**answer, options, context);
  }
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  const auto chosen = select_devices(*(*feed)->next(), options.devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  return show({*chosen, connections(*chosen, context.files)}, (*feed)->findings(), options, context);
}

}  // namespace gpukeeper::cli
