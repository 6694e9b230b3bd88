#include "backend/simulated/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "backend/simulated/curve_reader.hpp"
#include "backend/simulated/identity_reader.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"
#include "device/metric_fields.hpp"
#include "yaml/tree.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::simulated {

using namespace yaml;
namespace {

constexpr std::string_view kScenarioKeys[] = {"name", "description", "seed", "devices", "faults"};
constexpr std::string_view kDeviceKeys[] = {"name",   "vendor",      "uuid",        "pci_address",
                                            "memory", "memory_base", "power_limit", "metrics",
                                            "links",  "partitions",  "processes",   "faults"};
constexpr std::string_view kPartitionKeys[] = {"profile", "place", "name", "uuid", "memory", "memory_base", "metrics"};
constexpr std::string_view kProcessKeys[] = {"pid",  "name",  "type",   "memory",   "utilization",
                                             "from", "until", "repeat", "partition"};
constexpr std::string_view kLinkKeys[] = {"kind", "peer", "count"};
constexpr std::size_t kCommandLength = 15;  // what the kernel keeps of a name (TASK_COMM_LEN)

std::vector<std::string_view> process_keys() {
  std::vector<std::string_view> keys(std::begin(kProcessKeys), std::end(kProcessKeys));
  keys.insert(keys.end(), identity_keys().begin(), identity_keys().end());
  return keys;
}

struct FaultRow {
  std::string_view word;
  FaultKind kind;
  std::vector<std::string_view> keys;  // beside kind and start
  // Whether it lasts. What happens in a moment repeats without a duration.
  bool lasts() const { return std::ranges::find(keys, "duration") != keys.end(); }
};

const std::vector<FaultRow>& fault_rows() {
  static const std::vector<FaultRow> rows = {
      {"hang", FaultKind::hang, {"duration", "repeat"}},
      {"lost", FaultKind::lost, {"duration", "repeat"}},
      {"driver_mismatch", FaultKind::driver_mismatch, {"duration", "repeat"}},
      {"error", FaultKind::error, {"duration", "repeat", "code", "message"}},
      {"flapping", FaultKind::flapping, {"duration", "repeat", "metrics", "reason", "period"}},
      {"missing", FaultKind::missing, {"duration", "repeat", "metrics", "reason"}},
      {"asleep", FaultKind::asleep, {"duration", "repeat"}},
      {"appear", FaultKind::appear, {}},
      {"disappear", FaultKind::disappear, {"duration", "repeat"}},
      {"xid", FaultKind::xid, {"duration", "repeat", "xid", "message", "process"}},
      {"ecc", FaultKind::ecc, {"repeat", "corrected", "uncorrected"}},
      {"pcie_error", FaultKind::pcie_error, {"repeat", "severity", "count", "message"}},
      {"engine_reset", FaultKind::engine_reset, {"repeat", "message", "process"}},
      {"gpu_reset", FaultKind::gpu_reset, {"repeat", "message"}},
      {"wedged", FaultKind::wedged, {"repeat", "message"}},
      {"driver_reload", FaultKind::driver_reload, {"duration", "repeat"}},
  };
  return rows;
}

constexpr std::pair<std::string_view, Vendor> kVendors[] = {
    {"nvidia", Vendor::nvidia}, {"amd", Vendor::amd}, {"intel", Vendor::intel}, {"other", Vendor::other}};
constexpr std::pair<std::string_view, Errc> kCodes[] = {{"not_found", Errc::not_found},
                                                        {"resource_exhausted", Errc::resource_exhausted},
                                                        {"not_permitted", Errc::not_permitted},
                                                        {"not_supported", Errc::not_supported},
                                                        {"deadline_exceeded", Errc::deadline_exceeded},
                                                        {"unavailable", Errc::unavailable},
                                                        {"internal", Errc::internal}};
constexpr std::pair<std::string_view, LinkError> kLinkErrors[] = {
    {"correctable", LinkError::correctable}, {"non-fatal", LinkError::nonfatal}, {"fatal", LinkError::fatal}};
constexpr std::uint64_t kMostErrors = 1'000'000'000;
constexpr std::pair<std::string_view, Link::Kind> kLinkKinds[] = {
    {"nvlink", Link::Kind::nvlink}, {"xgmi", Link::Kind::xgmi}, {"pcie", Link::Kind::pcie}};

constexpr ValueType kProcessMemory{"memory", FieldKind::whole, 0, kMaxBytes, true};
constexpr ValueType kProcessUtilization{"utilization", FieldKind::number, 0, 100};
constexpr ValueType kMemoryBase{"memory_base", FieldKind::whole, 0, kMaxBytes, true};

Window window(const YamlNode& node, bool lasts = true) {
  Window result;
  if (const YamlNode* start = node.find("start")) result.start = duration(*start, "start");
  if (const YamlNode* length = node.find("duration")) result.duration = positive_duration(*length, "duration");
  if (const YamlNode* repeat = node.find("repeat")) {
    result.repeat = positive_duration(*repeat, "repeat");
    if (lasts && !result.duration) refuse(repeat->mark, "what repeats needs a 'duration'");
    if (*result.repeat < result.duration.value_or(0)) {
      refuse(repeat->mark, "'repeat' must not be shorter than the 'duration' of {}s", *result.duration);
    }
  }
  return result;
}

const MetricField& metric_field(std::string_view name, Mark mark) {
  if (const MetricField* field = find_metric_field(name)) return *field;
  if (name == "pci_address" || find_fact_field(name)) {
    refuse(mark, "'{}' is a fact of the device: write it beside 'name', not under 'metrics'", name);
  }
  std::vector<std::string_view> known;
  for (const MetricField& field : metric_fields()) known.push_back(field.name);
  const auto near = nearest(name, known);
  if (near.empty()) refuse(mark, "unknown metric '{}': 'gpukeeper metrics' lists all", name);
  refuse(mark, "unknown metric '{}': did you mean '{}'?", name, near);
}

std::vector<std::string> metric_names(const YamlNode& node) {
  std::vector<std::string> result;
  if (node.kind == YamlNode::Kind::scalar) {
    result.emplace_back(metric_field(node.text, node.mark).name);
    return result;
  }
  for (const YamlNode& item : list(node, "metrics")) {
    result.emplace_back(metric_field(scalar(item, "metrics", "a list of metric names"), item.mark).name);
  }
  if (result.empty()) refuse(node.mark, "'metrics' must name at least one metric");
  return result;
}

Fault fault(const YamlNode& node) {
  mapping(node, "a fault", "{kind: hang, start: 60s, duration: 10s}");
  std::vector<std::string_view> words;
  for (const FaultRow& row : fault_rows()) words.push_back(row.word);
  const YamlNode& kind = required(node, "a fault", "kind", "hang");
  const auto word = scalar(kind, "kind", "a kind of fault");
  const auto row = std::ranges::find(fault_rows(), word, &FaultRow::word);
  if (row == fault_rows().end())
    refuse(kind.mark, "unknown kind of fault {}: {}", shown(kind), suggestion(word, words));

  const std::string what = fmt::format("a fault of kind {}", word);
  auto keys = row->keys;
  keys.insert(keys.begin(), {"kind", "start"});
  check_keys(node, what, keys);

  Fault result;
  result.kind = row->kind;
  result.window = window(node, row->lasts());
  if (const YamlNode* message = node.find("message")) result.message = text(*message, "message");
  if (const YamlNode* process = node.find("process")) result.process = text(*process, "process");
  switch (row->kind) {
    case FaultKind::flapping:
      result.reason = Missing::failed;
      if (const YamlNode* period = node.find("period")) result.period = positive_duration(*period, "period");
      [[fallthrough]];
    case FaultKind::missing:
      result.metrics = metric_names(required(node, what, "metrics", "[fan_rpm]"));
      if (const YamlNode* reason = node.find("reason")) result.reason = choice(*reason, "reason", kReasons);
      break;
    case FaultKind::error:
      if (const YamlNode* code = node.find("code")) result.code = choice(*code, "code", kCodes);
      break;
    case FaultKind::ecc:
      if (const YamlNode* more = node.find("corrected")) result.corrected = whole(*more, "corrected", 0, kMostErrors);
      if (const YamlNode* more = node.find("uncorrected")) {
        result.uncorrected = whole(*more, "uncorrected", 0, kMostErrors);
      }
      if (result.corrected + result.uncorrected == 0) {
        refuse(node.mark, "{} needs 'corrected' or 'uncorrected', such as 'corrected: 1'", what);
      }
      break;
    case FaultKind::pcie_error:
      if (const YamlNode* severity = node.find("severity"))
        result.severity = choice(*severity, "severity", kLinkErrors);
      if (const YamlNode* count = node.find("count")) result.count = whole(*count, "count", 1, kMostErrors);
      break;
    case FaultKind::xid: result.xid = whole(required(node, what, "xid", "79"), "xid", 1, 1000); break;
    case FaultKind::appear:
      if (result.window.start <= 0) refuse(node.mark, "{} needs a 'start' after 0s", what);
      break;
    case FaultKind::driver_reload:
      if (!result.window.duration) refuse(node.mark, "{} needs 'duration', such as 'duration: 5s'", what);
      break;
    default: break;
  }
  return result;
}

std::vector<Fault> faults(const YamlNode& map, bool of_machine) {
  std::vector<Fault> result;
  const YamlNode* node = map.find("faults");
  if (!node) return result;
  for (const YamlNode& item : list(*node, "faults")) {
    result.push_back(fault(item));
    if (!of_machine && result.back().kind == FaultKind::driver_reload) {
      refuse(item.mark,
             "a fault of kind driver_reload is one of the whole machine: write it under the scenario's 'faults'");
    }
  }
  return result;
}

constexpr std::pair<std::string_view, ProcessType> kProcessTypes[] = {
    {"compute", {true, false, false}},
    {"graphics", {false, true, false}},
    {"compute+graphics", {true, true, false}},
    {"mps", {false, false, true}},
};

std::string hex_uuid(std::uint64_t high, std::uint64_t low) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffff);
}

class Parser {
 public:
  Scenario scenario(const YamlNode& root) {
    mapping(root, "a scenario", "'name: Two GPUs' and 'devices:' with a list");
    check_keys(root, "a scenario", kScenarioKeys);
    Scenario result;
    result.name = text(required(root, "a scenario", "name", "Two GPUs"), "name");
    if (const YamlNode* about = root.find("description")) (void)scalar(*about, "description", "a text");
    if (const YamlNode* seed = root.find("seed")) {
      result.seed = whole(*seed, "seed", 0, std::numeric_limits<std::uint64_t>::max());
    }
    seed_ = result.seed;
    result.faults = faults(root, true);
    const YamlNode& devices =
        required(root, "a scenario", "devices", "[{name: NVIDIA H200, vendor: nvidia, memory: 141GiB}]");
    for (const YamlNode& item : list(devices, "devices")) collect(item);
    for (const YamlNode& item : devices.items) result.devices.push_back(device(item));
    std::ranges::stable_sort(result.devices, {}, [](const DeviceSpec& spec) { return spec.device.pci; });
    for (std::uint32_t i = 0; i < result.devices.size(); ++i) {
      Device& placed = result.devices[i].device;
      if (!placed.minor_number) placed.minor_number = i;
    }
    return result;
  }

 private:
  // What derived addresses and pids must keep clear of: all that is written anywhere.
  void collect(const YamlNode& node) {
    if (const YamlNode* address = node.find("pci_address"); address && address->kind == YamlNode::Kind::scalar) {
      if (const auto pci = PciAddress::parse(address->text)) written_pci_.insert(*pci);
    }
    const YamlNode* processes = node.find("processes");
    if (!processes) return;
    for (const YamlNode& process : processes->items) {
      const YamlNode* pid = process.find("pid");
      if (!pid || pid->kind != YamlNode::Kind::scalar) continue;
      if (const auto number = parse_i64(pid->text)) written_pids_.insert(*number);
    }
  }

  PciAddress pci_address(const YamlNode& node) {
    const YamlNode* given = node.find("pci_address");
    if (!given) {
      PciAddress address{0, 1, 0, 0};
      while (written_pci_.contains(address)) {
        if (++address.bus == 0) ++address.domain;
      }
      written_pci_.insert(address);
      pci_.try_emplace(address, node.mark);
      return address;
    }
    constexpr std::string_view kWanted = "an address such as 0000:01:00.0";
    const auto address = PciAddress::parse(scalar(*given, "pci_address", kWanted));
    if (!address) refuse(given->mark, "'pci_address' must be {}, not {}", kWanted, shown(*given));
    const auto [first, added] = pci_.try_emplace(*address, given->mark);
    if (!added) {
      refuse(given->mark, "pci_address {} is given twice: first in line {}", address->to_string(), first->second.line);
    }
    return *address;
  }

  void set_id(Device& device, const YamlNode& node, const std::string& derived) {
    const YamlNode* given = node.find("uuid");
    device.id.text = given ? text(*given, "uuid") : derived;
    const Mark mark = given ? given->mark : node.mark;
    const auto [first, added] = ids_.try_emplace(device.id.text, mark);
    if (!added) refuse(mark, "uuid '{}' is given twice: first in line {}", device.id.text, first->second.line);
  }

  std::string derived_uuid(const Device& device, std::uint64_t number) const {
    const std::uint64_t high = mix(mix(seed_, "uuid"), number);
    const std::uint64_t low = mix(high, number);
    switch (device.vendor) {
      case Vendor::nvidia: return (device.parent ? "MIG-" : "GPU-") + hex_uuid(high, low);
      case Vendor::amd: return fmt::format("AMD-{:016x}", high);
      default: break;
    }
    const std::string place = fmt::format("PCI-{}", device.pci->to_string());
    return device.parent ? fmt::format("{}-{}", place, number) : place;
  }

  static void set_metrics(DeviceSpec& spec, const YamlNode& node) {
    if (const YamlNode* metrics = node.find("metrics")) {
      mapping(*metrics, "'metrics'", "'temperature_celsius: 62'");
      for (const auto& [key, key_mark, part] : metrics->entries) {
        const MetricField& field = metric_field(key, key_mark);
        spec.metrics.emplace(key, curve(part, type_of(field)));
      }
    }
    constexpr std::pair<std::string_view, std::string_view> kShort[] = {{"memory", "memory_total_bytes"},
                                                                        {"power_limit", "power_limit_watts"}};
    for (const auto& [key, name] : kShort) {
      const YamlNode* part = node.find(key);
      if (!part) continue;
      ValueType type = type_of(*find_metric_field(name));
      type.name = key;
      if (!spec.metrics.emplace(name, curve(*part, type)).second) {
        refuse(part->mark, "'{}' is short for the metric '{}', which is given too: keep one", key, name);
      }
    }
    check_memory(spec, node);
    if (const YamlNode* base = node.find("memory_base")) spec.memory_base = number(*base, kMemoryBase);
  }

  static std::optional<double> constant(const DeviceSpec& spec, std::string_view metric) {
    const auto found = spec.metrics.find(metric);
    if (found == spec.metrics.end()) return std::nullopt;
    const auto* value = std::get_if<Curve::Value>(&found->second.shape);
    const auto number = value ? to_number(*value) : missing(Missing::not_supported);
    return number ? std::optional(*number) : std::nullopt;
  }

  static void check_memory(const DeviceSpec& spec, const YamlNode& node) {
    const auto used = constant(spec, "memory_used_bytes");
    const auto total = constant(spec, "memory_total_bytes");
    if (!used || !total || *used <= *total) return;
    const Mark mark = node.find("metrics")->find("memory_used_bytes")->mark;
    refuse(mark, "'memory_used_bytes' is {:.0f}, more than the memory of {:.0f}", *used, *total);
  }

  DeviceSpec device(const YamlNode& node) {
    mapping(node, "a device", "{name: NVIDIA H200, vendor: nvidia, memory: 141GiB}");
    std::vector<std::string_view> keys(std::begin(kDeviceKeys), std::end(kDeviceKeys));
    for (const FactField& field : fact_fields()) keys.push_back(field.name);
    for (const YamlNode::Entry& entry : node.entries) {
      if (std::ranges::find(keys, entry.key) == keys.end() && find_metric_field(entry.key)) {
        refuse(entry.key_mark, "'{}' is a metric: write it under 'metrics'", entry.key);
      }
    }
    check_keys(node, "a device", keys);

    DeviceSpec spec;
    Device& device = spec.device;
    device.name = text(required(node, "a device", "name", "NVIDIA H200"), "name");
    device.vendor = choice(required(node, "a device", "vendor", "nvidia"), "vendor", kVendors);
    device.source = "simulated";
    device.simulated = true;
    device.pci = pci_address(node);
    const std::uint64_t number = devices_++;
    set_id(device, node, derived_uuid(device, number));
    set_facts(device, node);
    set_links(device, node);
    set_metrics(spec, node);
    spec.faults = faults(node, false);
    if (const YamlNode* partitions = node.find("partitions")) {
      for (const YamlNode& item : list(*partitions, "partitions")) spec.partitions.push_back(partition(item, spec));
    }
    if (const YamlNode* processes = node.find("processes")) {
      for (const YamlNode& item : list(*processes, "processes")) add_process(spec, item);
      std::ranges::stable_sort(spec.processes, {}, &ProcessSpec::pid);
    }
    return spec;
  }

  static void set_facts(Device& device, const YamlNode& node) {
    switch (device.vendor) {
      case Vendor::nvidia: device.driver = "nvidia"; break;
      case Vendor::amd: device.driver = "amdgpu"; break;
      case Vendor::intel: device.driver = "xe"; break;
      case Vendor::other: break;
    }
    for (const FactField& field : fact_fields()) {
      const YamlNode* given = node.find(field.name);
      if (!given) continue;
      if (field.kind == FieldKind::whole) {
        field.set(device, whole(*given, field.name, 0, std::numeric_limits<std::uint32_t>::max()));
      } else {
        field.set(device, text(*given, field.name));
      }
    }
  }

  static void set_links(Device& device, const YamlNode& node) {
    const YamlNode* links = node.find("links");
    if (!links) return;
    for (const YamlNode& item : list(*links, "links")) {
      mapping(item, "a link", "{kind: nvlink, peer: switch, count: 18}");
      check_keys(item, "a link", kLinkKeys);
      Link link;
      link.kind = choice(required(item, "a link", "kind", "nvlink"), "kind", kLinkKinds);
      link.peer = text(required(item, "a link", "peer", "0000:02:00.0"), "peer");
      if (const YamlNode* count = item.find("count")) {
        link.count = static_cast<std::uint32_t>(whole(*count, "count", 1, 1000));
      }
      device.links.push_back(std::move(link));
    }
  }

  DeviceSpec partition(const YamlNode& node, const DeviceSpec& parent) {
    mapping(node, "a partition", "{profile: 1g.18gb, memory: 16GiB}");
    check_keys(node, "a partition", kPartitionKeys);
    const std::size_t number = parent.partitions.size();
    const bool nvidia = parent.device.vendor == Vendor::nvidia;
    DeviceSpec spec;
    spec.device = parent.device;
    spec.device.links.clear();
    spec.device.parent = parent.device.id;
    const auto profile = text(required(node, "a partition", "profile", "1g.18gb"), "profile");
    const YamlNode* place = node.find("place");
    const std::string where = place    ? text(*place, "place")
                              : nvidia ? fmt::format("GPU instance {}", number)
                                       : fmt::format("partition {}", number);
    spec.device.partition = fmt::format("{} ({})", profile, where);
    const YamlNode* name = node.find("name");
    spec.device.name =
        name ? text(*name, "name") : fmt::format("{}{}{}", parent.device.name, nvidia ? " MIG " : " ", profile);
    set_id(spec.device, node, derived_uuid(spec.device, mix(devices_, number + 1)));
    set_metrics(spec, node);
    return spec;
  }

  void add_process(DeviceSpec& spec, const YamlNode& node) {
    mapping(node, "a process", "{name: python3, memory: 20GiB}");
    check_keys(node, "a process", process_keys());
    ProcessSpec process;
    process.name = text(required(node, "a process", "name", "python3"), "name");
    process.type.compute = true;
    if (const YamlNode* type = node.find("type")) process.type = choice(*type, "type", kProcessTypes);
    if (const YamlNode* memory = node.find("memory")) process.memory = curve(*memory, kProcessMemory);
    if (const YamlNode* use = node.find("utilization")) process.utilization = curve(*use, kProcessUtilization);
    if (const YamlNode* from = node.find("from")) process.window.start = duration(*from, "from");
    if (const YamlNode* until = node.find("until")) {
      const double end = duration(*until, "until");
      if (end <= process.window.start) refuse(until->mark, "'until' must be later than 'from'");
      process.window.duration = end - process.window.start;
    }
    if (const YamlNode* repeat = node.find("repeat")) {
      process.window.repeat = positive_duration(*repeat, "repeat");
      if (!process.window.duration) refuse(repeat->mark, "a process that repeats needs 'until'");
      if (*process.window.repeat < *process.window.duration) {
        refuse(repeat->mark, "'repeat' must not be shorter than the process runs, {}s", *process.window.duration);
      }
    }
    if (const YamlNode* place = node.find("partition")) {
      if (spec.partitions.empty()) refuse(place->mark, "'partition' is given, but the device has no 'partitions'");
      process.partition = whole(*place, "partition", 0, spec.partitions.size() - 1);
    }
    process.who = identity(node);
    process.who.facts.command = process.name.substr(0, kCommandLength);
    const YamlNode* pid = node.find("pid");
    if (pid && !(pid->kind == YamlNode::Kind::scalar && pid->text == "auto")) {
      process.pid = static_cast<std::int64_t>(whole(*pid, "pid", 1, kMaxPid));
      for (const ProcessSpec& other : spec.processes) {
        if (other.pid == process.pid && may_overlap(other.window, process.window)) {
          refuse(pid->mark, "pid {} is given twice on this device for the same time", process.pid);
        }
      }
    } else {
      while (written_pids_.contains(next_pid_)) ++next_pid_;
      process.pid = next_pid_++;
    }
    process.who.facts.pid = process.pid;
    spec.processes.push_back(std::move(process));
  }

  static bool may_overlap(const Window& a, const Window& b) {
    if (a.repeat || b.repeat) return true;
    const bool a_before_b = a.duration && a.start + *a.duration <= b.start;
    const bool b_before_a = b.duration && b.start + *b.duration <= a.start;
    return !a_before_b && !b_before_a;
  }

  std::uint64_t seed_ = 1;
  std::uint64_t devices_ = 0;
  std::int64_t next_pid_ = 10001;
  std::set<PciAddress> written_pci_;
  std::set<std::int64_t> written_pids_;
  std::map<PciAddress, Mark> pci_;
  std::map<std::string, Mark> ids_;
};

}  // namespace

double Window::since(double seconds) const {
  return repeat ? std::fmod(seconds - start, *repeat) : seconds - start;
}

std::string_view word_of(LinkError severity) {
  return kLinkErrors[static_cast<std::size_t>(severity)].first;
}

bool Window::holds(double seconds) const {
  if (seconds < start) return false;
  return !duration || since(seconds) < *duration;
}

std::uint64_t Window::starts(double seconds) const {
  if (seconds < start) return 0;
  if (!repeat) return 1;
  constexpr double kMost = 1e15;  // far below where a double no longer counts by ones
  return static_cast<std::uint64_t>(std::min(kMost, std::floor((seconds - start) / *repeat))) + 1;
}

std::optional<double> Window::end(double seconds) const {
  if (!duration) return std::nullopt;
  const double round = repeat ? std::floor((seconds - start) / *repeat) * *repeat : 0;
  return start + round + *duration;
}

std::vector<std::string_view> scenario_keys() {
  std::vector<std::string_view> result;
  const auto add = [&](Words words) { result.insert(result.end(), words.begin(), words.end()); };
  for (const Words words : {Words(kScenarioKeys), Words(kDeviceKeys), Words(kPartitionKeys), Words(kLinkKeys)}) {
    add(words);
  }
  const auto of_processes = process_keys();
  add(of_processes);
  const auto of_curves = curve_keys();
  add(of_curves);
  for (const FactField& field : fact_fields()) result.push_back(field.name);
  for (const FaultRow& row : fault_rows()) {
    result.push_back(row.word);
    add(row.keys);
  }
  result.insert(result.end(), {"kind", "start", "runtime", "id", "terminal"});
  std::ranges::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

Result<Scenario> parse_scenario(std::string_view text, std::string_view file) {
  const auto root = parse_yaml(text, file);
  if (!root) return tl::make_unexpected(root.error());
  try {
    return Parser().scenario(*root);
  } catch (const Refused& error) {
    return tl::make_unexpected(refusal(file, error.mark, error.message));
  }
}

}  // namespace gpukeeper::simulated
