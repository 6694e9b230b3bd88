#include "cli/status_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "cli/notes.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "device/metric_table.hpp"
#include "format/cause_words.hpp"
#include "format/columns.hpp"
#include "policy/ladder.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::size_t kIndent = 5;                      // of a line about the device above it
constexpr std::size_t kWidePage = 160;                  // from here on names stand in full
constexpr auto kOldReading = std::chrono::seconds(10);  // older readings say their age

bool asleep(const DeviceSnapshot& d) {
  return d.reading.attention == Attention::asleep;
}

// The state in one sign; its colour repeats it.
Span lamp(const DeviceSnapshot& d, bool utf8) {
  if (asleep(d)) return {utf8 ? "◌" : "z", Ink::faint};
  switch (d.state) {
    case State::optimal: return {utf8 ? "●" : "*", Ink::good};
    case State::normal: return {utf8 ? "●" : "*", Ink::good};
    case State::throttled: return {utf8 ? "▲" : "!", Ink::warn};
    case State::critical: return {utf8 ? "■" : "X", Ink::bad};
    case State::unavailable: return {utf8 ? "○" : "-", d.available ? Ink::faint : Ink::bad};
  }
  return {"?"};
}

std::string_view state_word(const DeviceSnapshot& d) {
  return asleep(d) ? "asleep" : to_string(d.state);
}

Ink state_ink(const DeviceSnapshot& d) {
  return asleep(d) ? Ink::faint : lamp(d, false).ink;
}

template <class Unit>
Ink above(Unit value, Unit warn, Unit bad) {
  return value >= bad ? Ink::bad : value >= warn ? Ink::warn : Ink::plain;
}

Cell absent() {
  return {"-", Ink::faint};
}

Cell celsius(const Metric<Celsius>& t, const Thresholds& limits, bool utf8) {
  if (!t) return absent();
  return {fmt::format("{:.0f}{}", t->value(), utf8 ? "°C" : "C"), above(*t, limits.temp_normal, limits.temp_throttle)};
}

Cell percent(const Metric<Percent>& share) {
  if (!share) return absent();
  return {fmt::format("{:.0f}%", share->value())};
}

// A fan whose share of its maximum is not known may still say how fast it turns.
Cell fan(const Reading& r) {
  if (!r.fan && r.fan_speed) return {fmt::format("{}rpm", r.fan_speed->value())};
  return percent(r.fan);
}

Cell memory_fill(const Reading& r, const Thresholds& limits) {
  const auto share = memory_percent(r);
  if (!share) return absent();
  return {fmt::format("{:.0f}%", share->value()), above(*share, limits.memory_normal, limits.memory_critical)};
}

std::string gibibytes(Bytes bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes.value()) / (1u << 30));
}

Cell memory(const Reading& r) {
  if (!r.memory_used && !r.memory_total) return absent();
  return {fmt::format("{}/{}", r.memory_used ? gibibytes(*r.memory_used) : "-",
                      r.memory_total ? gibibytes(*r.memory_total) : "-")};
}

// Its account in the book; null where nobody keeps one.
const BookedDevice* account_of(const Snapshot& snapshot, const DeviceSnapshot& d) {
  if (!snapshot.booked) return nullptr;
  const auto& accounts = snapshot.booked->devices;
  const auto found = std::ranges::find(accounts, d.device->id, &BookedDevice::id);
  return found == accounts.end() ? nullptr : &*found;
}

// Said of all devices, as soon as something is booked of one.
bool is_booked_of(const Snapshot& snapshot) {
  return snapshot.booked && std::ranges::any_of(snapshot.booked->devices, [](const BookedDevice& account) {
           return account.leases > 0 || account.booked.value() > 0;
         });
}

Cell booked(const BookedDevice& account) {
  return {gibibytes(account.booked)};
}

Cell bookable(const BookedDevice& account) {
  if (!account.available) return absent();
  return {gibibytes(*account.available)};
}

std::string watts(Watts power) {
  return power.value() < 9.95 ? fmt::format("{:.1f}", power.value()) : fmt::format("{:.0f}", power.value());
}

Cell power(const Reading& r) {
  if (!r.power) return absent();
  if (!r.power_limit) return {watts(*r.power)};
  return {fmt::format("{}/{:.0f}", watts(*r.power), r.power_limit->value())};
}

Cell clock(const Reading& r) {
  const auto& mhz = r.clock_graphics ? r.clock_graphics : r.clock_sm;
  if (!mhz) return absent();
  return {fmt::format("{:.0f}", mhz->value())};
}

// Only the worst of them, with the number of the others.
Cell slowed_by(const Reading& r) {
  if (!r.throttle_reasons) return absent();
  const auto causes = cause_words(r);
  if (causes.empty()) return {};
  const std::string worst(causes.front());
  return {causes.size() > 1 ? fmt::format("{} +{}", worst, causes.size() - 1) : worst, Ink::warn};
}

Cell rate(const Metric<BytesPerSecond>& rate) {
  if (!rate) return absent();
  return {size_text(static_cast<std::uint64_t>(std::max(rate->value(), 0.0))) + "/s"};
}

Cell pcie_link(const Reading& r) {
  if (!r.pcie_generation || !r.pcie_width) return absent();
  return {fmt::format("{} x{}", r.pcie_generation->value(), r.pcie_width->value())};
}

// Of a partition too: its processes stand in its device's list.
Cell process_count(const DeviceSnapshot& d, const DeviceSnapshot* parent) {
  const DeviceSnapshot& lister = parent != nullptr ? *parent : d;
  if (!lister.processes_reason.empty() || !d.available) return absent();
  if (parent == nullptr) return {fmt::format("{}", d.processes->size())};
  return {fmt::format("{}", std::ranges::count(*parent->processes, d.device->id, &GpuProcess::partition))};
}

// The telling part of a name where there is little room: "Radeon RX 9070" of "Navi 48 [Radeon RX 9070]", "GeForce RTX
// 4090" of "NVIDIA GeForce RTX 4090". The lamp's row is read among others of one machine, where the vendor says little.
std::string_view short_name(std::string_view name) {
  const auto open = name.rfind('[');
  if (open != std::string_view::npos && open > 0 && name.ends_with(']') && name.size() - open > 4) {
    name = name.substr(open + 1, name.size() - open - 2);
  }
  for (const std::string_view vendor : {"NVIDIA ", "AMD ", "Intel(R) ", "Intel "}) {
    if (name.starts_with(vendor) && name.size() > vendor.size() + 3) name.remove_prefix(vendor.size());
  }
  return name;
}

std::vector<Column> columns(const Snapshot& snapshot, const RenderOptions& options) {
  using enum Column::Align;
  std::size_t memory_width = 0;  // of a full device: the fill grows, the table does not
  bool tells_causes = false;
  for (const DeviceSnapshot& d : snapshot.devices) {
    if (d.reading.memory_total)
      memory_width = std::max(memory_width, 2 * gibibytes(*d.reading.memory_total).size() + 1);
    tells_causes |= d.reading.throttle_reasons.has_value();
  }
  return {
      {.header = "GPU"},
      {.header = "NAME", .shrinks_to = 14},
      {.header = "ORIGIN", .only_if_filled = true},
      {.header = "STATE", .priority = 12},
      {.header = "TEMP", .align = right},
      {.header = "HOTSPOT", .align = right, .priority = 9, .only_if_filled = true},
      {.header = options.utf8 ? "MEM °C" : "MEM C", .align = right, .priority = 8, .only_if_filled = true},
      {.header = "FAN", .align = right, .priority = 22, .only_if_filled = true},
      {.header = "UTIL", .align = right},
      {.header = "", .priority = 14, .only_if_filled = true},  // its bar
      {.header = "MEM GiB", .align = right, .at_least = memory_width},
      {.header = "", .align = right, .priority = 23, .only_if_filled = true, .at_least = options.steady ? 4u : 0u},
      {.header = "", .priority = 13, .only_if_filled = true},  // its bar
      {.header = "BOOKED", .align = right, .priority = 24, .only_if_filled = true},
      {.header = "TO BOOK", .align = right, .priority = 24, .only_if_filled = true},
      {.header = "POWER W", .align = right, .priority = 25},
      {.header = "MHz", .align = right, .priority = 21},
      {.header = "SLOWED BY",
       .priority = 26,
       .only_if_filled = !(options.steady && tells_causes),
       .at_least = options.steady ? 11u : 0u},
      {.header = "PROCS", .align = right, .priority = 20},
      {.header = "ENC", .align = right, .priority = 7, .only_if_filled = true},
      {.header = "DEC", .align = right, .priority = 7, .only_if_filled = true},
      {.header = "PCI", .priority = 6, .only_if_filled = true},
      {.header = "PCIe", .priority = 5, .only_if_filled = true},
      {.header = "RX", .align = right, .priority = 4, .only_if_filled = true},
      {.header = "TX", .align = right, .priority = 4, .only_if_filled = true},
  };
}

std::vector<Cell> row(const DeviceSnapshot& d, const DeviceSnapshot* parent, const BookedDevice* account,
                      const RenderOptions& options) {
  const Reading& r = d.reading;
  const bool utf8 = options.utf8;
  const std::size_t bar_width = options.width >= 160 ? 16 : 10;
  std::string name = d.device->partition.value_or(d.device->name);
  if (options.width < kWidePage) name = short_name(name);
  if (parent != nullptr) name = (utf8 ? "└ " : "- ") + name;
  const auto fill = memory_percent(r);
  const Thresholds& limits = d.throttling.thresholds;
  Ink fill_ink = memory_fill(r, limits).spans.front().ink;
  if (fill_ink == Ink::plain) fill_ink = Ink::good;
  return {
      std::vector<Span>{lamp(d, utf8), {" " + index_text({&d, parent})}},
      {harmless(name, utf8), d.available ? Ink::plain : Ink::faint},
      {std::string(origin(*d.device)), Ink::warn},
      {std::string(state_word(d)), state_ink(d)},
      celsius(r.temperature, limits, utf8),
      celsius(r.temperature_hotspot, limits, utf8),
      celsius(r.temperature_memory, limits, utf8),
      fan(r),
      percent(r.utilization),
      r.utilization ? Cell(bar(r.utilization->value(), bar_width, Ink::good, utf8)) : Cell(),
      memory(r),
      memory_fill(r, limits),
      fill ? Cell(bar(fill->value(), bar_width, fill_ink, utf8)) : Cell(),
      account ? booked(*account) : Cell(),
      account ? bookable(*account) : Cell(),
      power(r),
      clock(r),
      slowed_by(r),
      process_count(d, parent),
      percent(r.utilization_encoder),
      percent(r.utilization_decoder),
      d.device->pci ? Cell(d.device->pci->to_string()) : absent(),
      pcie_link(r),
      rate(r.pcie_rx),
      rate(r.pcie_tx),
  };
}

// What a person must know of the device beyond its row, a sentence each.
std::vector<Span> notes(const DeviceSnapshot& d, const RenderOptions& options) {
  std::vector<Span> result;
  const Reading& r = d.reading;
  if (!d.reason.empty()) result.push_back({d.reason, d.available || asleep(d) ? Ink::faint : Ink::bad});
  if (d.available && d.reason.empty() && d.read_at && options.now - *d.read_at > kOldReading) {
    result.push_back({fmt::format("this reading is {} old", age_text(options.now - *d.read_at)), Ink::warn});
  }
  // Only where the state in the row does not say it already: after heat, because of people.
  if (const Throttling& t = d.throttling;
      d.available && !t.requests.empty() && t.speed_multiplier < speed_of(d.state)) {
    result.push_back({fmt::format("{}: {}", advice_words(t.speed_multiplier), t.requests.front().reason), Ink::warn});
  }
  const auto some = [](const Metric<Count>& count) { return count && count->value() > 0; };
  const auto yes = [](const Metric<bool>& flag) { return flag && *flag; };
  if (yes(r.remapped_rows_failed)) {
    result.push_back({"a memory row could not be remapped: the board needs service", Ink::bad});
  }
  if (yes(r.remapped_rows_pending)) {
    result.push_back({"memory rows wait to be remapped: reset the GPU, or reboot, when it is idle", Ink::warn});
  }
  if (yes(r.retired_pages_pending)) {
    result.push_back({"memory pages wait to be retired: reboot when it suits", Ink::warn});
  }
  if (some(r.ecc_uncorrected_volatile)) {
    result.push_back(
        {fmt::format("{} uncorrected memory error{} since the driver was loaded", r.ecc_uncorrected_volatile->value(),
                     r.ecc_uncorrected_volatile->value() == 1 ? "" : "s"),
         Ink::bad});
  }
  if (some(r.xid_last)) result.push_back({fmt::format("the driver reported XID {}", r.xid_last->value()), Ink::warn});
  if (d.available) {
    const auto hidden = std::ranges::count_if(metric_table(), [&](const MetricRow& metric) {
      const auto value = metric.value(*d.device, r);
      return !value && value.error() == Missing::not_permitted;
    });
    if (hidden > 0 && origin(*d.device).empty()) {
      result.push_back(
          {fmt::format("this user may not read {} of its values: gpukeeper doctor says how", hidden), Ink::faint});
    } else if (hidden > 0) {  // the doctor sees this machine only
      result.push_back({fmt::format("{} of its values may not be read", hidden), Ink::faint});
    }
  }
  return result;
}

void add_device(Table& table, const Snapshot& snapshot, const DeviceSnapshot& d, const DeviceSnapshot* parent,
                const RenderOptions& options) {
  const BookedDevice* account = is_booked_of(snapshot) ? account_of(snapshot, d) : nullptr;
  table.add_row(row(d, parent, account, options));
  const auto label = origin(*d.device);
  const std::string prefix = label.empty() ? "" : fmt::format("{}: ", label);
  const std::size_t indent = kIndent + (parent == nullptr ? 0 : 2) + display_width(prefix);
  for (const Span& note : notes(d, options)) {
    const std::size_t room = options.width > indent + 10 ? options.width - indent : 10;
    for (std::string& line : wrap(harmless(spelled(note.text, options.utf8), options.utf8), room)) {
      table.add_line({{std::string(indent - display_width(prefix), ' ')}, {prefix, Ink::warn}, {line, note.ink}});
    }
  }
  for (const DeviceSnapshot& partition : d.partitions) add_device(table, snapshot, partition, &d, options);
}

// How many GPUs are in which state, the worst first: a narrow screen cuts the rest.
std::string summary(const Snapshot& snapshot) {
  constexpr std::string_view kWorstFirst[] = {"critical", "unavailable", "throttled", "normal", "asleep", "optimal"};
  const auto devices = snapshot.devices.size();
  std::string text = fmt::format("{} GPU{}", devices, devices == 1 ? "" : "s");
  std::string_view separator = ": ";
  for (const std::string_view word : kWorstFirst) {
    const auto count =
        std::ranges::count_if(snapshot.devices, [&](const DeviceSnapshot& d) { return state_word(d) == word; });
    if (count == 0) continue;
    text += separator;
    text += devices == 1 ? std::string(word) : fmt::format("{} {}", count, word);
    separator = ", ";
  }
  return text;
}

std::vector<Span> title(const Snapshot& snapshot, const RenderOptions& options) {
  const std::string dot = options.utf8 ? " · " : " - ";
  std::vector<Span> line{{"gpukeeper", Ink::strong}};
  if (const auto machine = machine_words(snapshot, options); !machine.empty()) line.push_back({dot + machine});
  if (const auto critical = firing(snapshot, AlertLevel::critical); critical > 0) {
    line.push_back({fmt::format("{}{} critical alert{}", dot, critical, critical == 1 ? "" : "s"), Ink::bad});
  }
  line.push_back({dot + summary(snapshot)});
  std::string time = local_time(snapshot.taken_at, options.utc_offset);
  if (snapshot.replayed) {
    // Of another day: said where it is never cut off.
    line.insert(line.begin() + 1, {dot + "RECORDED " + time, Ink::warn});
    return line;
  }
  std::size_t used = 0;
  for (const Span& span : line) used += display_width(span.text);
  if (used + 2 + time.size() > options.width) time = time.substr(time.find(' ') + 1);
  if (used + 2 + time.size() <= options.width) {
    line.push_back({std::string(options.width - used - time.size(), ' ')});
    line.push_back({std::move(time), Ink::faint});
  }
  return line;
}

/// The lines of a list: its header, then those of each device in turn.
struct List {
  std::vector<std::string> lines;
  std::vector<std::size_t> of_device;  // how many each has
};

List processes(const Snapshot& snapshot, const RenderOptions& options) {
  using enum Column::Align;
  Table table({{.header = "GPU"},
               {.header = "PID", .align = right},
               {.header = "ORIGIN", .only_if_filled = true},
               {.header = "TYPE", .priority = 1},
               {.header = "UTIL", .align = right, .priority = 2},
               {.header = "MEMORY", .align = right},
               {.header = "PROCESS", .shrinks_to = 10}});
  bool known = false;
  std::vector<std::size_t> of_device;
  for (const DeviceSnapshot& d : snapshot.devices) {
    of_device.push_back(d.processes->size());
    known |= d.available && d.processes_reason.empty();
    std::vector<const GpuProcess*> order;
    for (const GpuProcess& process : *d.processes) order.push_back(&process);
    std::ranges::stable_sort(order, [](const GpuProcess* a, const GpuProcess* b) {  // the largest first
      return a->memory.value_or(Bytes(0)) > b->memory.value_or(Bytes(0));
    });
    for (const GpuProcess* p : order) {
      std::string place = index_text({&d});
      for (const DeviceSnapshot& partition : d.partitions) {
        if (p->partition == partition.device->id) place = index_text({&partition, &d});
      }
      table.add_row({{"  " + place},
                     {fmt::format("{}", p->pid)},
                     {std::string(origin(*d.device)), Ink::warn},
                     {p->type.to_string(), Ink::faint},
                     percent(p->utilization),
                     p->memory ? Cell(size_text(p->memory->value())) : absent(),
                     p->name.empty() ? absent() : Cell(harmless(p->name, options.utf8))});
    }
  }
  if (!table.empty()) return {table.render(options), std::move(of_device)};
  if (known) return {{paint({{"No process uses a GPU.", Ink::faint}}, options)}, {}};
  return {};
}

// What is said below the processes: of whose processes nothing is known, and the messages of the sources.
std::vector<std::string> footer(const Snapshot& snapshot, const RenderOptions& options) {
  auto result = device_notes(
      snapshot, [](const DeviceSnapshot& d) { return d.available ? d.processes_reason : std::string(); }, options);
  if (snapshot.booked && !snapshot.booked->closed.empty()) {
    const std::string text = fmt::format("No memory is granted now: {}", snapshot.booked->closed);
    for (std::string& line : wrapped({}, {text, Ink::warn}, options)) result.push_back(std::move(line));
  }
  for (std::string& line : alert_notes(snapshot, options)) result.push_back(std::move(line));
  for (std::string& line : source_notes(snapshot, options)) result.push_back(std::move(line));
  return result;
}

std::vector<std::string> nothing_found(const Snapshot& snapshot, std::span<const Finding> findings,
                                       const RenderOptions& options) {
  std::vector<std::string> result;
  const auto say = [&](std::string_view text, std::size_t indent, Ink ink) {
    const std::size_t room = options.width > indent + 10 ? options.width - indent : 10;
    for (std::string& line : wrap(harmless(text, options.utf8), room)) {
      result.push_back(paint({{std::string(indent, ' ')}, {std::move(line), ink}}, options));
    }
  };
  say("No GPU was found.", 0, Ink::strong);
  for (const Finding& finding : findings) {
    result.emplace_back();
    say(finding.vendor, 2, Ink::strong);
    say(finding.looked, 4, Ink::plain);
    if (!finding.remedy.empty()) say(finding.remedy, 4, Ink::good);
  }
  for (const SourceStatus& source : snapshot.sources) {
    if (!findings.empty()) break;  // they say the same with more
    result.emplace_back();
    say(source.message.empty() ? fmt::format("{}: it lists no device", source.name)
                               : fmt::format("{}: {}", source.name, source.message),
        2, Ink::plain);
  }
  result.emplace_back();
  say("gpukeeper doctor looks closer.", 0, Ink::faint);
  return result;
}

// Leaves so many lines of a list, the first included. Devices take turns: one with many lines hides no other's.
void shorten(List& list, std::size_t kept) {
  std::vector<std::size_t> share(list.of_device.size());
  std::size_t room = kept - 1;
  for (bool given = true; given && room > 0;) {
    given = false;
    for (std::size_t i = 0; i < share.size() && room > 0; ++i) {
      if (share[i] == list.of_device[i]) continue;
      ++share[i];
      --room;
      given = true;
    }
  }
  std::vector<std::string> lines{std::move(list.lines.front())};
  std::size_t begin = 1;
  for (std::size_t i = 0; i < share.size(); begin += list.of_device[i++]) {
    for (std::size_t at = begin; at < begin + share[i]; ++at) lines.push_back(std::move(list.lines[at]));
  }
  list.lines = std::move(lines);
}

// Keeps the page within the rows of a terminal: processes give way first.
std::vector<std::string> page(std::vector<std::string> head, List processes, std::vector<std::string> foot,
                              const RenderOptions& options) {
  std::vector<std::string>& list = processes.lines;
  const std::string more = options.utf8 ? "  … " : "  ... ";
  const auto blanks = [&] { return (list.empty() ? 0u : 1u) + (foot.empty() ? 0u : 1u); };
  if (options.height > 0 && list.size() > 1) {
    const std::size_t others = head.size() + foot.size() + blanks();
    const std::size_t room = options.height > others ? options.height - others : 0;
    if (list.size() > room) {
      const std::size_t kept = room >= 3 ? room - 1 : 1;  // its header, and one line that says how many are left out
      const auto left_out = list.size() - kept;
      shorten(processes, kept);
      list.push_back(paint({{fmt::format("{}{} more", more, left_out), Ink::faint}}, options));
    }
  }
  std::vector<std::string> all = std::move(head);
  for (auto* part : {&list, &foot}) {
    if (part->empty()) continue;
    all.emplace_back();
    all.insert(all.end(), part->begin(), part->end());
  }
  if (options.height > 0 && all.size() > options.height) {
    const auto left_out = all.size() - options.height + 1;
    all.resize(options.height - 1);
    all.push_back(paint({{fmt::format("{}{} more lines", more, left_out), Ink::faint}}, options));
  }
  return all;
}

}  // namespace

std::string render_status(const Snapshot& snapshot, std::span<const Finding> findings, const RenderOptions& options) {
  std::vector<std::string> lines;
  if (snapshot.devices.empty()) {
    lines = page(nothing_found(snapshot, findings, options), {}, {}, options);
  } else {
    std::vector<std::string> head{paint(title(snapshot, options), options), ""};
    Table table(columns(snapshot, options));
    for (const DeviceSnapshot& d : snapshot.devices) add_device(table, snapshot, d, nullptr, options);
    for (std::string& line : table.render(options)) head.push_back(std::move(line));
    lines = page(std::move(head), processes(snapshot, options), footer(snapshot, options), options);
  }
  std::string text;
  for (const std::string& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace gpukeeper::cli
