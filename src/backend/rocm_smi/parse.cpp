// rocm-smi's JSON has the labels of its text output as keys, and a value is a text even where it is a number. Labels
// were reworded from release to release ("Average Graphics Package Power (W)" became "Current Socket Graphics Package
// Power (W)" on some boards; "Card series" became "Card Series"), so a value is looked for under every label it had,
// without regard to case.
#include "backend/rocm_smi/parse.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = std::size_t{8} << 20;  // eight MI300X in eight partitions each are 0.5 MB
constexpr int kMaxDepth = 64;                            // rocm-smi nests two deep

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("rocm-smi JSON: {}", what));
}

// Lower-case labels without blanks and a closing colon ("sclk clock speed:") to their texts.
class Card {
 public:
  explicit Card(const json& object) {
    for (const auto& [label, value] : object.items()) {
      if (value.is_string()) {
        texts_.emplace(plain(label), value.get<std::string>());
      } else if (value.is_number() || value.is_boolean()) {
        texts_.emplace(plain(label), value.dump());
      }
    }
  }

  /// The first of these labels that there is; null when there is none.
  const std::string* text(std::initializer_list<const char*> labels) const {
    for (const auto* label : labels) {
      const auto found = texts_.find(plain(label));
      if (found != texts_.end()) return &found->second;
    }
    return nullptr;
  }

  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  static std::string plain(std::string_view label) {
    auto key = to_lower(trim(label));
    while (key.ends_with(':')) key.pop_back();
    std::erase(key, ' ');
    return key;
  }

  std::map<std::string, std::string> texts_;
};

Missing reason_in(std::string_view text) {
  const auto words = to_lower(text);
  const auto has = [&words](std::string_view word) { return words.find(word) != std::string::npos; };
  if (has("permission")) return Missing::not_permitted;
  if (has("error") || has("failed") || has("busy") || has("timed out")) return Missing::failed;
  return Missing::not_supported;  // N/A, None, Unsupported, Unable to …, empty
}

// The first label with a number, in brackets or not: "(300Mhz)" is 300. Else the best reason among those there.
Metric<double> number(const Card& card, std::initializer_list<const char*> labels) {
  Missing why = Missing::not_supported;
  for (const auto* label : labels) {
    const auto* const found = card.text({label});
    if (found == nullptr) continue;
    std::string_view text = trim(*found);
    if (text.starts_with('(')) text.remove_prefix(1);
    if (const auto value = leading_number(text)) return *value;
    if (why == Missing::not_supported) why = reason_in(text);
  }
  return missing(why);
}

template <class T>
Metric<T> number_in(const Card& card, double low, double high, std::initializer_list<const char*> labels) {
  const auto value = number(card, labels);
  if (!value) return missing(value.error());
  if (*value < low || *value > high) return missing(Missing::failed);
  return T(static_cast<typename T::rep>(*value));
}

Metric<Celsius> celsius(const Card& card, std::initializer_list<const char*> labels) {
  return number_in<Celsius>(card, -273, 500, labels);
}
Metric<Watts> watts(const Card& card, std::initializer_list<const char*> labels) {
  return number_in<Watts>(card, 0, 50'000, labels);
}
Metric<Percent> percent(const Card& card, std::initializer_list<const char*> labels) {
  return number_in<Percent>(card, 0, 100, labels);
}
Metric<Megahertz> megahertz(const Card& card, std::initializer_list<const char*> labels) {
  return number_in<Megahertz>(card, 0, 100'000, labels);
}
Metric<Bytes> bytes(const Card& card, std::initializer_list<const char*> labels) {
  for (const auto* label : labels) {
    const auto* const text = card.text({label});
    if (text == nullptr) continue;
    const auto whole = parse_u64(*text);  // whole: a double would round above 2^53
    if (whole && *whole <= std::uint64_t{1} << 50) return Bytes(*whole);
    return missing(whole ? Missing::failed : reason_in(*text));
  }
  return missing(Missing::not_supported);
}

Metric<std::string> words(const Card& card, std::initializer_list<const char*> labels) {
  for (const auto* label : labels) {
    const auto* const text = card.text({label});
    if (text == nullptr) continue;
    const auto low = to_lower(trim(*text));
    bool none =
        low.empty() || low.find("not supported") != std::string::npos || low.find("unable") != std::string::npos;
    for (const auto* word : {"n/a", "none", "unknown", "unsupported", "-"}) none = none || low == word;
    if (!none) return printable(trim(*text).substr(0, 256));
  }
  return missing(Missing::not_supported);
}

// "0x738c" as four digits without a prefix.
std::optional<std::string> hex_id(const Metric<std::string>& text) {
  if (!text) return std::nullopt;
  const auto value = parse_u64(*text, 16);
  if (!value || *value > 0xffff) return std::nullopt;
  return fmt::format("{:04x}", *value);
}

bool is_number(std::string_view text) {
  return parse_u64(text, 16).has_value();
}

Device device_of(const Card& card, const Card& system) {
  Device device;
  device.vendor = Vendor::amd;
  device.source = "rocm-smi";
  device.driver = "amdgpu";
  if (const auto bus = words(card, {"PCI Bus"})) device.pci = PciAddress::parse(*bus);
  if (const auto unique = words(card, {"Unique ID"})) {
    // amdgpu's unique_id; zero where the chip has none.
    if (const auto value = parse_u64(*unique, 16); value && *value != 0)
      device.id.text = fmt::format("AMD-{:016x}", *value);
  }
  const auto device_id = hex_id(words(card, {"Device ID", "GPU ID"}));
  if (device_id) device.pci_id = "1002:" + *device_id;
  // Before 6.0 the name stood under "Card series"; where the tool knew none, the number stands there again.
  for (const auto* label : {"Device Name", "Card Series", "Card Model", "Product Name", "Marketing Name"}) {
    const auto name = words(card, {label});
    if (!name || is_number(*name)) continue;
    device.name = *name;
    break;
  }
  if (device.name.empty()) device.name = device_id ? fmt::format("AMD GPU [1002:{}]", *device_id) : "AMD GPU";
  device.driver_version = words(system, {"Driver version"});
  device.vbios_version = words(card, {"VBIOS version"});
  device.serial = words(card, {"Serial Number"});
  if (device.serial && device.serial->find_first_not_of('0') == std::string::npos) {
    device.serial = missing(Missing::not_supported);
  }
  device.board_part_number = words(card, {"Card SKU"});
  device.architecture = words(card, {"GFX Version"});
  if (const auto node = number_in<Count>(card, 0, 4095, {"(Topology) Numa Node"})) {
    device.numa_node = static_cast<std::uint32_t>(node->value());
  }
  return device;
}

// "1 (16.0GT/s x16)": generation and lanes of the PCIe link.
void read_link(const Card& card, Reading& reading) {
  const auto* const level = card.text({"pcie clock level", "pcie clock speed"});
  if (level == nullptr) return;
  const auto open = level->find('(');
  const std::string_view link = std::string_view(*level).substr(open == std::string::npos ? 0 : open + 1);
  const auto speed = leading_number(link);
  const auto cross = link.find(" x");
  const auto lanes = cross == std::string_view::npos ? std::nullopt : leading_number(link.substr(cross + 2));
  // Gigatransfers a second of each generation, from the PCI Express base specifications.
  constexpr std::pair<double, std::uint64_t> kGenerations[] = {{2.5, 1}, {5, 2}, {8, 3}, {16, 4}, {32, 5}, {64, 6}};
  for (const auto& [rate, generation] : kGenerations) {
    if (speed && *speed == rate) reading.pcie_generation = Count(generation);
  }
  if (lanes && *lanes >= 1 && *lanes <= 32) reading.pcie_width = Count(static_cast<std::uint64_t>(*lanes));
}

Reading reading_of(const Card& card) {
  Reading reading{Missing::not_supported};
  reading.temperature =
      celsius(card, {"Temperature (Sensor edge) (C)", "Temperature (Sensor #1) (C)", "Temperature (C)"});
  reading.temperature_hotspot = celsius(card, {"Temperature (Sensor junction) (C)", "Temperature (Sensor #2) (C)"});
  reading.temperature_memory =
      celsius(card, {"Temperature (Sensor memory) (C)", "Temperature (Sensor mem) (C)", "Temperature (Sensor #3) (C)"});
  for (const auto* stack : {"0", "1", "2", "3", "4", "5", "6", "7"}) {
    const auto label = fmt::format("Temperature (Sensor HBM {}) (C)", stack);
    if (const auto hbm = celsius(card, {label.c_str()})) {
      reading.sensors.push_back({fmt::format("hbm_{}", stack), "celsius", hbm->value()});
    }
  }
  reading.fan = percent(card, {"Fan speed (%)"});
  reading.fan_speed = number_in<Rpm>(card, 0, 100'000, {"Fan RPM"});
  reading.utilization = percent(card, {"GPU use (%)"});
  // Until 5.x the first label; then the second. "Allocated (VRAM%)" is the fill level, which memory tells better.
  reading.utilization_memory = percent(card, {"GPU memory use (%)", "GPU Memory Read/Write Activity (%)"});

  reading.memory_total = bytes(card, {"VRAM Total Memory (B)"});
  reading.memory_used = bytes(card, {"VRAM Total Used Memory (B)"});
  reading.memory_bar1_total = bytes(card, {"VIS_VRAM Total Memory (B)"});
  reading.memory_bar1_used = bytes(card, {"VIS_VRAM Total Used Memory (B)"});
  reading.memory_gtt_total = bytes(card, {"GTT Total Memory (B)"});
  reading.memory_gtt_used = bytes(card, {"GTT Total Used Memory (B)"});
  if (reading.memory_total && reading.memory_used && *reading.memory_used > *reading.memory_total) {
    reading.memory_used = missing(Missing::failed);
  }

  // A board has an averaged or a momentary sensor; the label tells which.
  reading.power_instant =
      watts(card, {"Current Socket Graphics Package Power (W)", "Current Graphics Package Power (W)"});
  reading.power = watts(card, {"Average Graphics Package Power (W)", "Average Socket Graphics Package Power (W)",
                               "Current Socket Graphics Package Power (W)", "Current Graphics Package Power (W)"});
  reading.power_limit = watts(card, {"Max Graphics Package Power (W)"});
  const auto energy = number(card, {"Accumulated Energy (uJ)"});
  if (energy && *energy >= 0 && *energy < 1e18) reading.energy = Joules(*energy / 1e6);

  reading.clock_graphics = megahertz(card, {"sclk clock speed"});
  reading.clock_memory = megahertz(card, {"mclk clock speed"});
  reading.performance_state = words(card, {"Performance Level"});
  reading.pcie_replays = number_in<Count>(card, 0, 0x1p53, {"PCIe Replay Count"});
  read_link(card, reading);
  if (const auto voltage = number(card, {"Voltage (mV)"}); voltage && *voltage > 0 && *voltage < 1e5) {
    reading.sensors.push_back({"graphics", "volts", *voltage / 1e3});
  }
  return reading;
}

// "PID4711": "python3, 1, 34359738, 0, 0": name, number of cards, bytes of VRAM, bytes a second of SDMA, CUs in use.
// The name may hold commas, so the numbers are counted from the end.
std::vector<GpuProcess> processes_in(const Card& system) {
  std::map<std::int64_t, GpuProcess> found;
  for (const auto& [label, text] : system.texts()) {
    if (!label.starts_with("pid")) continue;
    const auto pid = parse_i64(std::string_view(label).substr(3));
    if (!pid || *pid <= 0 || *pid > 0x7fffffff) continue;
    auto fields = split(text, ',');
    GpuProcess process;
    process.pid = *pid;
    process.type.compute = true;  // what KFD knows computes
    if (fields.size() >= 5) {
      const auto vram = parse_u64(fields[fields.size() - 3]);
      if (vram && *vram <= std::uint64_t{1} << 50) process.memory = Bytes(*vram);
      const auto name = std::string_view(text).substr(
          0, static_cast<std::size_t>(fields[fields.size() - 4].data() - text.data()) - 1);
      if (to_lower(trim(name)) != "unknown") process.name = printable(trim(name).substr(0, 128));
    } else if (to_lower(trim(fields[0])) != "unknown") {
      process.name = printable(trim(fields[0]).substr(0, 128));
    }
    found.emplace(*pid, std::move(process));
  }
  std::vector<GpuProcess> list;
  list.reserve(found.size());
  for (auto& [pid, process] : found) list.push_back(std::move(process));
  return list;
}

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        quoted = false;
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '{' || text[i] == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (text[i] == '}' || text[i] == ']') {
      --depth;
    }
  }
  return false;
}

// Where the JSON begins: rocm-smi prints its warnings ("… in a low-power state …") before it, on lines of their own.
std::size_t start_of_json(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = text.find_first_not_of(" \t\r", at);
    if (first == std::string_view::npos) break;
    if (text[first] == '{') return first;
    const auto end = text.find('\n', first);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return std::string_view::npos;
}

std::string opening(std::string_view text) {
  const auto start = trim(text);
  return printable(start.substr(0, std::min<std::size_t>(start.find('\n'), 120)));
}

}  // namespace

Result<ToolDocument> parse_rocm_smi(std::string_view text) {
  if (text.size() > kMaxBytes) return refuse(fmt::format("it is larger than {} MiB", kMaxBytes >> 20));
  if (trim(text).empty()) return refuse("it is empty");
  const auto start = start_of_json(text);
  if (start == std::string_view::npos)
    return refuse(fmt::format("it holds no JSON; it begins with \"{}\"", opening(text)));
  const auto body = text.substr(start);
  if (too_deep(body)) return refuse(fmt::format("nested deeper than {}", kMaxDepth));

  json root;
  try {
    root = json::parse(body);
  } catch (const json::exception& error) {
    const auto* const syntax = dynamic_cast<const json::parse_error*>(&error);
    const std::size_t offset = syntax != nullptr && syntax->byte > 0 ? syntax->byte - 1 : 0;
    const bool cut = offset + 1 >= trim(body).size();
    return refuse(
        fmt::format("{}: not valid JSON{}", place_in(text, start + offset), cut ? "; it may have been cut off" : ""));
  }

  std::map<std::uint64_t, const json*> cards;
  const json* system = nullptr;
  for (const auto& [name, value] : root.items()) {
    if (!value.is_object()) continue;
    if (name == "system") system = &value;
    if (!name.starts_with("card")) continue;
    if (const auto index = parse_u64(std::string_view(name).substr(4)); index && *index <= 0xffff)
      cards.emplace(*index, &value);
  }
  if (cards.empty() && system == nullptr)
    return refuse("it has neither \"card0\" nor \"system\": this is not rocm-smi's");

  const Card common(system != nullptr ? *system : json::object());
  ToolDocument document;
  for (const auto& [index, object] : cards) {
    const Card card(*object);
    ToolGpu& gpu = document.gpus.emplace_back();
    gpu.device = device_of(card, common);
    gpu.reading = reading_of(card);
    if (cards.size() == 1) {
      auto processes = processes_in(common);
      gpu.process_entries = processes.size();
      gpu.processes = std::move(processes);
    } else {
      gpu.processes = fail(Errc::not_supported, "rocm-smi does not say on which card a process runs");
    }
  }
  return document;
}

}  // namespace gpukeeper
