// nvidia-smi's XML grew for fifteen years. Names moved (memory_usage, fb_memory_usage; power_readings,
// gpu_power_readings; clocks_throttle_reasons, clocks_event_reasons), and names repeat in places that mean something
// else (power_draw of the whole module). So a value is always looked for by its full path under <gpu>, with every path
// it ever had, newest first; the schema's version is never asked for, as recordings exist without one.
#include "backend/nvidia_smi/parse.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{8} << 20;  // sixteen GPUs with every supported clock are 2 MB
constexpr std::ptrdiff_t kMaxElements = 500'000;         // the same machine has 60,000
constexpr int kMaxDepth = 64;                            // the deepest element that was ever seen is the ninth
constexpr std::size_t kMaxPartitions = 64;               // MIG: seven GPU instances of at most seven compute instances

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("nvidia-smi XML: {}", what));
}

tl::unexpected<Error> refuse(std::string_view text, std::size_t offset, std::string_view what) {
  return refuse(fmt::format("{}: {}", place_in(text, offset), what));
}

// The first words of a text, for a message.
std::string opening(std::string_view text) {
  const auto line = trim(text.substr(0, text.find('\n')));
  return printable(line.substr(0, 120));
}

// ---- Words and numbers --------------------------------------------------------------------------------------------

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

// The reason that a text without a number gives. NVML's error strings stand here as nvidia-smi prints them.
Missing reason_in(std::string_view text) {
  const auto words = to_lower(text);
  if (has(words, "permission") || has(words, "redacted")) return Missing::not_permitted;
  for (const auto* word :
       {"lost", "unknown error", "err!", "requires reset", "requires restart", "insufficient size", "timeout",
        "timed out", "driver not loaded", "mismatch", "corrupted", "insufficient resources", "in use", "internal error",
        "access blocked", "illegal instruction", "uninitialized"}) {
    if (has(words, word)) return Missing::failed;
  }
  return Missing::not_supported;  // N/A, [N/A], None, Not Found, Not Supported, "… has been deprecated", empty
}

// The text of an element at some place, or why there is none.
struct Field {
  std::optional<std::string_view> text;

  Missing reason() const { return text ? reason_in(*text) : Missing::not_supported; }
};

std::string_view own_text(const pugi::xml_node& node) {
  return trim(node.child_value());
}

// A child's text. A block that could not be read holds its reason in place of its children:
// <remapped_rows>GPU is lost</remapped_rows>.
Field field(const pugi::xml_node& block, const char* name) {
  if (const auto child = block.child(name)) return {own_text(child)};
  const auto words = own_text(block);
  return words.empty() || leading_number(words) ? Field{} : Field{words};
}

Field field(const pugi::xml_node& gpu, const char* block, const char* name) {
  return field(gpu.child(block), name);
}

// The first block of these names.
pugi::xml_node first_block(const pugi::xml_node& gpu, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (const auto block = gpu.child(name)) return block;
  }
  return {};
}

struct Number {
  double value = 0;
  std::string_view unit;
};

Metric<Number> number(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  const auto value = leading_number(*from.text);
  if (!value) return missing(from.reason());
  const auto end = from.text->find_first_not_of("-0123456789.");
  return Number{*value, end == std::string_view::npos ? std::string_view() : trim(from.text->substr(end))};
}

// A number in [low, high], and failed outside of it: a driver at a loss prints 4294967295 or 2147483647.
template <class T>
Metric<T> number_in(const Field& from, double low, double high) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  if (found->value < low || found->value > high) return missing(Missing::failed);
  return T(static_cast<typename T::rep>(found->value));
}

// Above every board and every rack module, below every garbage value.
Metric<Watts> watts(const Field& from) {
  return number_in<Watts>(from, 0, 50'000);
}
Metric<Celsius> celsius(const Field& from) {
  return number_in<Celsius>(from, -273, 500);
}
Metric<Megahertz> megahertz(const Field& from) {
  return number_in<Megahertz>(from, 0, 100'000);
}
Metric<Percent> percent(const Field& from) {
  return number_in<Percent>(from, 0, 100);
}

Metric<Percent> fan_percent(const Field& from) {
  const auto speed = number_in<Percent>(from, 0, 300);
  // "This value may exceed 100% in certain cases" (nvml.h, nvmlDeviceGetFanSpeed): faster than its nominal maximum.
  if (speed && speed->value() > 100) return Percent(100);
  return speed;
}

Metric<Count> count(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  if (const auto whole = parse_u64(*from.text)) {
    return *whole <= INT64_MAX ? Metric<Count>(Count(*whole)) : Metric<Count>(missing(Missing::failed));
  }
  return number_in<Count>(from, 0, 9007199254740992.0);  // "16x", "3 page(s)"; whole in a double up to 2^53
}

Metric<Bytes> bytes(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  // What old drivers call MB has always been MiB (NVML counts bytes; nvidia-smi shifts them by 20).
  const auto unit = to_lower(found->unit);
  const int shift = unit == "gib" || unit == "gb"    ? 30
                    : unit == "kib" || unit == "kb"  ? 10
                    : unit == "b" || unit == "bytes" ? 0
                                                     : 20;
  const double scaled = std::ldexp(found->value, shift);
  if (scaled < 0 || scaled > 0x1p50) return missing(Missing::failed);
  return Bytes(static_cast<std::uint64_t>(scaled));
}

Metric<BytesPerSecond> bytes_per_second(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  const auto unit = to_lower(found->unit);
  const double scale = unit.starts_with("g") ? 1e9 : unit.starts_with("m") ? 1e6 : unit.starts_with("b") ? 1 : 1e3;
  const double scaled = found->value * scale;
  if (scaled < 0 || scaled > 1e15) return missing(Missing::failed);
  return BytesPerSecond(scaled);
}

Metric<std::chrono::nanoseconds> microseconds(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  if (found->value < 0 || found->value > 9e15)
    return missing(Missing::failed);  // 285 years; in nanoseconds still 64 bits
  return std::chrono::nanoseconds(static_cast<std::int64_t>(found->value * 1e3));
}

Metric<bool> yes_or_no(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  const auto word = to_lower(*from.text);
  if (word == "yes" || word == "enabled" || word == "on" || word == "active") return true;
  if (word == "no" || word == "disabled" || word == "off" || word == "not active") return false;
  return missing(from.reason());
}

// A text for people: a version, a serial number. A text that stands for "no value" is none.
Metric<std::string> words(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  auto text = *from.text;
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = trim(text.substr(1, text.size() - 2));
  const auto low = to_lower(text);
  const auto reason = reason_in(text);
  if (reason != Missing::not_supported) return missing(reason);
  for (const auto* none : {"", "n/a", "none", "not found", "not supported", "not available", "unknown", "-"}) {
    if (low == none) return missing(Missing::not_supported);
  }
  if (has(low, "deprecated")) return missing(Missing::not_supported);
  return printable(text.substr(0, 256));
}

// ---- Who the GPU is -----------------------------------------------------------------------------------------------

// "26B910DE": the device's id before the vendor's.
Metric<std::string> pci_id(const Field& from) {
  const auto text = words(from);
  if (!text) return text;
  const auto value = parse_u64(*text, 16);
  if (!value || *value > 0xffffffff) return missing(Missing::failed);
  return fmt::format("{:04x}:{:04x}", *value & 0xffff, *value >> 16);
}

std::optional<PciAddress> pci_address(const pugi::xml_node& gpu) {
  if (const auto stated = field(gpu, "pci", "pci_bus_id"); stated.text) {
    if (const auto address = PciAddress::parse(*stated.text)) return address;
  }
  return PciAddress::parse(gpu.attribute("id").value());
}

Device device_of(const pugi::xml_node& log, const pugi::xml_node& gpu) {
  Device device;
  device.vendor = Vendor::nvidia;
  device.source = "nvidia-smi";
  device.pci = pci_address(gpu);
  // "GPU-…", and whatever else has no blank in it; put_in_order names those without one.
  if (const auto uuid = words(field(gpu, "uuid")); uuid && !has(*uuid, " ")) device.id.text = *uuid;
  device.pci_id = pci_id(field(gpu, "pci", "pci_device_id"));
  device.pci_subsystem_id = pci_id(field(gpu, "pci", "pci_sub_system_id"));
  if (const auto name = words(field(gpu, "product_name"))) {
    device.name = *name;
  } else {
    device.name = device.pci_id ? fmt::format("NVIDIA GPU [{}]", *device.pci_id) : "NVIDIA GPU";
  }
  // Under Windows (and WSL, which shows the host's) the driver model has a name, and the kernel driver is not "nvidia".
  if (!words(field(gpu, "driver_model", "current_dm"))) device.driver = "nvidia";
  device.driver_version = words(field(log, "driver_version"));
  device.cuda_version = words(field(log, "cuda_version"));
  device.vbios_version = words(field(gpu, "vbios_version"));
  device.serial = words(field(gpu, "serial"));
  device.board_part_number = words(field(gpu, "board_part_number"));
  device.architecture = words(field(gpu, "product_architecture"));
  if (const auto minor = number_in<Count>(field(gpu, "minor_number"), 0, 0xfffff)) {
    device.minor_number = static_cast<std::uint32_t>(minor->value());
  }
  return device;
}

// ---- What it reads ------------------------------------------------------------------------------------------------

void read_temperatures(const pugi::xml_node& gpu, Reading& reading) {
  const auto block = gpu.child("temperature");
  reading.temperature = celsius(field(block, "gpu_temp"));
  reading.temperature_memory = celsius(field(block, "memory_temp"));
  reading.temperature_shutdown = celsius(field(block, "gpu_temp_max_threshold"));
  reading.temperature_slowdown = celsius(field(block, "gpu_temp_slow_threshold"));
  reading.temperature_max_operating = celsius(field(block, "gpu_temp_max_gpu_threshold"));
  // From Ada and Hopper on, limits are distances from the limit, and this one is what is left (GPU T.Limit). The
  // absolute limits are not worked out from it: each of the two was rounded by itself.
  reading.temperature_margin = celsius(field(block, "gpu_temp_tlimit"));
  // Where on that scale the limits stand: degrees left when one is reached, so they may be negative.
  constexpr std::pair<const char*, const char*> kScale[] = {
      {"gpu_temp_max_tlimit_threshold", "tlimit_shutdown"},
      {"gpu_temp_slow_tlimit_threshold", "tlimit_slowdown"},
      {"gpu_temp_max_mem_tlimit_threshold", "tlimit_memory"},
      {"gpu_temp_max_gpu_tlimit_threshold", "tlimit_max"},
  };
  for (const auto& [name, sensor] : kScale) {
    const auto degrees = celsius(field(block, name));
    if (degrees) reading.sensors.push_back({sensor, "celsius", degrees->value()});
  }
}

void read_memory(const pugi::xml_node& gpu, Reading& reading) {
  const auto block = first_block(gpu, {"fb_memory_usage", "memory_usage"});
  reading.memory_total = bytes(field(block, "total"));
  reading.memory_used = bytes(field(block, "used"));
  reading.memory_free = bytes(field(block, "free"));
  reading.memory_reserved = bytes(field(block, "reserved"));
  reading.memory_bar1_total = bytes(field(gpu, "bar1_memory_usage", "total"));
  reading.memory_bar1_used = bytes(field(gpu, "bar1_memory_usage", "used"));
  // More in use than there is: one of the two is wrong, and the total is the one that a board cannot get wrong.
  if (reading.memory_total && reading.memory_used && *reading.memory_used > *reading.memory_total) {
    reading.memory_used = missing(Missing::failed);
  }
}

// GB10, Thor and Orin have no memory of their own: nvidia-smi then has no number, and address translation is ATS or the
// name says nvgpu, the driver of Tegra chips.
void read_unified(const pugi::xml_node& gpu, const std::string& name, Reading& reading) {
  if (reading.memory_total) {
    reading.memory_unified =
        reading.memory_total->value() == 0;  // no board has none: some drivers say so of these chips
    return;
  }
  if (!reading.memory_total && reading.memory_total.error() != Missing::not_supported) return;
  const auto addressing = field(gpu, "addressing_mode");
  if ((addressing.text && to_lower(*addressing.text) == "ats") || has(to_lower(name), "nvgpu")) {
    reading.memory_unified = true;
  }
}

void read_power(const pugi::xml_node& gpu, Reading& reading) {
  // Never module_power_readings or gpu_memory_power_readings: the same names, of the CPU and GPU together or of the
  // memory.
  const auto block = first_block(gpu, {"gpu_power_readings", "power_readings"});
  const auto first = [&block](std::initializer_list<const char*> names) {
    Metric<Watts> best = missing(Missing::not_supported);
    for (const auto* name : names) {
      const auto value = watts(field(block, name));
      if (value) return value;
      if (best.error() == Missing::not_supported) best = value;  // a better reason than "not there"
    }
    return best;
  };
  reading.power = first({"power_draw", "average_power_draw", "instant_power_draw"});
  reading.power_instant = watts(field(block, "instant_power_draw"));
  // Not enforced_power_limit, which stands beside it: that is the lowest of all limits that now count, the system's
  // too.
  reading.power_limit = first({"current_power_limit", "power_limit"});
  reading.power_limit_default = watts(field(block, "default_power_limit"));
  reading.power_limit_min = watts(field(block, "min_power_limit"));
  reading.power_limit_max = watts(field(block, "max_power_limit"));
}

void read_clocks(const pugi::xml_node& gpu, Reading& reading) {
  const auto now = gpu.child("clocks");
  reading.clock_graphics = megahertz(field(now, "graphics_clock"));
  reading.clock_sm = megahertz(field(now, "sm_clock"));
  reading.clock_memory = megahertz(field(now, "mem_clock"));
  reading.clock_video = megahertz(field(now, "video_clock"));
  const auto max = gpu.child("max_clocks");
  reading.clock_graphics_max = megahertz(field(max, "graphics_clock"));
  reading.clock_sm_max = megahertz(field(max, "sm_clock"));
  reading.clock_memory_max = megahertz(field(max, "mem_clock"));
  reading.clock_video_max = megahertz(field(max, "video_clock"));
}

struct ReasonName {
  std::string_view name;  // behind clocks_throttle_reason_ or clocks_event_reason_
  Throttle reason;
};

constexpr ReasonName kReasons[] = {
    {"gpu_idle", Throttle::idle},
    {"applications_clocks_setting", Throttle::application_clocks},
    {"user_defined_clocks", Throttle::application_clocks},  // its name before 2013
    {"display_clocks_setting", Throttle::display_clocks},
    {"sync_boost", Throttle::sync_boost},
    {"sw_power_cap", Throttle::software_power_cap},
    {"sw_thermal_slowdown", Throttle::software_thermal},
    {"hw_slowdown", Throttle::hardware_slowdown},
    {"hw_thermal_slowdown", Throttle::hardware_thermal},
    {"hw_power_brake_slowdown", Throttle::hardware_power_brake},
};

void read_throttling(const pugi::xml_node& gpu, Reading& reading) {
  const auto block = first_block(gpu, {"clocks_event_reasons", "clocks_throttle_reasons"});
  ThrottleReasons reasons;
  bool known = false;
  Missing why = reason_in(own_text(block));
  for (const auto& child : block.children()) {
    const std::string_view name = child.name();
    const auto active = yes_or_no({own_text(child)});
    if (!active) {
      if (const auto reason = reason_in(own_text(child)); reason != Missing::not_supported) why = reason;
      continue;
    }
    known = true;
    if (!*active) continue;
    const auto* const row = std::find_if(std::begin(kReasons), std::end(kReasons), [name](const ReasonName& one) {
      return name.ends_with("_reason_" + std::string(one.name));
    });
    reasons.add(row != std::end(kReasons) ? row->reason : Throttle::other);
  }
  if (known) {
    reading.throttle_reasons = reasons;
  } else {
    reading.throttle_reasons = missing(why);
  }

  const auto counters = gpu.child("clocks_event_reasons_counters");
  reading.throttle_power_time = microseconds(field(counters, "clocks_event_reasons_counters_sw_power_cap"));
  const auto software = microseconds(field(counters, "clocks_event_reasons_counters_sw_therm_slowdown"));
  const auto hardware = microseconds(field(counters, "clocks_event_reasons_counters_hw_therm_slowdown"));
  // Both may run at once, so their sum could count a moment twice: the longer one was certainly spent.
  reading.throttle_thermal_time = software && hardware ? std::max(*software, *hardware)
                                  : software           ? software
                                                       : hardware;
}

void read_pcie(const pugi::xml_node& gpu, Reading& reading) {
  const auto pci = gpu.child("pci");
  const auto link = pci.child("pci_gpu_link_info");
  const auto generation = link.child("pcie_gen");
  const auto width = link.child("link_widths");
  // A link has a generation and a width of at least 1; 0 is how some drivers say that there is no PCIe link (NVLink
  // C2C).
  const auto positive = [](const Field& from, double most) {
    const auto value = number_in<Count>(from, 0, most);
    return value && value->value() == 0 ? Metric<Count>(missing(Missing::not_supported)) : value;
  };
  reading.pcie_generation = positive(field(generation, "current_link_gen"), 32);
  reading.pcie_generation_max = positive(field(generation, "max_link_gen"), 32);
  reading.pcie_width = positive(field(width, "current_link_width"), 64);
  reading.pcie_width_max = positive(field(width, "max_link_width"), 64);
  reading.pcie_replays = count(field(pci, "replay_counter"));
  reading.pcie_rx = bytes_per_second(field(pci, "rx_util"));
  reading.pcie_tx = bytes_per_second(field(pci, "tx_util"));
}

// The sum of those that are numbers; the best reason when none is.
Metric<Count> sum(const pugi::xml_node& block, std::initializer_list<const char*> names) {
  Metric<Count> total = missing(Missing::not_supported);
  for (const auto* name : names) {
    const auto value = count(field(block, name));
    if (value) {
      const auto before = total ? total->value() : 0;
      total = Count(value->value() > UINT64_MAX - before ? UINT64_MAX : before + value->value());
    } else if (!total && value.error() != Missing::not_supported) {
      total = missing(value.error());
    }
  }
  return total;
}

// Three generations: single_bit/double_bit with a total (Fermi to Volta); sram and dram (Turing and Ampere); and since
// driver 550 the uncorrectable SRAM errors split by how they were found.
Metric<Count> ecc_errors(const pugi::xml_node& block, bool corrected) {
  if (const auto bits = block.child(corrected ? "single_bit" : "double_bit")) {
    const auto total = count(field(bits, "total"));
    if (total) return total;
    const auto parts =
        sum(bits, {"device_memory", "register_file", "l1_cache", "l2_cache", "texture_memory", "texture_shm", "cbu"});
    return parts ? parts : total;
  }
  if (corrected) return sum(block, {"sram_correctable", "dram_correctable"});
  return sum(block,
             {"sram_uncorrectable", "sram_uncorrectable_parity", "sram_uncorrectable_secded", "dram_uncorrectable"});
}

void read_errors(const pugi::xml_node& gpu, Reading& reading) {
  reading.ecc_enabled = yes_or_no(field(gpu, "ecc_mode", "current_ecc"));
  const auto ecc = gpu.child("ecc_errors");
  const auto lifetime = ecc.child("aggregate");
  const auto recent = ecc.child("volatile");
  const Missing why = reason_in(own_text(ecc));
  const auto of = [&](const pugi::xml_node& block, bool corrected) {
    return block ? ecc_errors(block, corrected) : Metric<Count>(missing(why));
  };
  reading.ecc_corrected_volatile = of(recent, true);
  reading.ecc_uncorrected_volatile = of(recent, false);
  reading.ecc_corrected_aggregate = of(lifetime, true);
  reading.ecc_uncorrected_aggregate = of(lifetime, false);

  const auto pages = gpu.child("retired_pages");
  reading.retired_pages_corrected = count(field(pages, "multiple_single_bit_retirement", "retired_count"));
  reading.retired_pages_uncorrected = count(field(pages, "double_bit_retirement", "retired_count"));
  reading.retired_pages_pending = yes_or_no(field(pages, "pending_retirement"));
  if (!reading.retired_pages_pending) {
    const auto older = yes_or_no(field(pages, "pending_blacklist"));
    if (older) reading.retired_pages_pending = older;
  }

  const auto rows = gpu.child("remapped_rows");
  reading.remapped_rows_corrected = count(field(rows, "remapped_row_corr"));
  reading.remapped_rows_uncorrected = count(field(rows, "remapped_row_unc"));
  reading.remapped_rows_pending = yes_or_no(field(rows, "remapped_row_pending"));
  reading.remapped_rows_failed = yes_or_no(field(rows, "remapped_row_failure"));
}

void read_modes(const pugi::xml_node& gpu, Reading& reading) {
  const auto state = [&](const Field& from) -> Metric<std::string> {
    const auto text = words(from);
    if (!text) return text;
    const bool is_state = text->size() >= 2 && text->size() <= 3 && text->front() == 'P' && parse_u64(text->substr(1));
    return is_state ? text : Metric<std::string>(missing(Missing::not_supported));
  };
  reading.performance_state = state(field(gpu, "performance_state"));
  if (!reading.performance_state) {
    const auto block = first_block(gpu, {"gpu_power_readings", "power_readings"});
    const auto other = state(field(block, "power_state"));
    if (other) reading.performance_state = other;
  }
  reading.compute_mode = words(field(gpu, "compute_mode")).map([](const std::string& text) {
    auto word = to_lower(text);
    std::replace(word.begin(), word.end(), ' ', '_');
    return word;
  });
  reading.persistence_mode = yes_or_no(field(gpu, "persistence_mode"));
  reading.mig_mode = yes_or_no(field(gpu, "mig_mode", "current_mig"));
}

Reading reading_of(const pugi::xml_node& gpu, const std::string& name) {
  Reading reading{Missing::not_supported};
  read_temperatures(gpu, reading);
  reading.fan = fan_percent(field(gpu, "fan_speed"));
  const auto busy = gpu.child("utilization");
  reading.utilization = percent(field(busy, "gpu_util"));
  reading.utilization_memory = percent(field(busy, "memory_util"));
  reading.utilization_encoder = percent(field(busy, "encoder_util"));
  reading.utilization_decoder = percent(field(busy, "decoder_util"));
  reading.utilization_jpeg = percent(field(busy, "jpeg_util"));
  reading.utilization_ofa = percent(field(busy, "ofa_util"));
  read_memory(gpu, reading);
  read_unified(gpu, name, reading);
  read_power(gpu, reading);
  read_clocks(gpu, reading);
  read_throttling(gpu, reading);
  read_pcie(gpu, reading);
  read_errors(gpu, reading);
  read_modes(gpu, reading);
  return reading;
}

// Why nothing that the document says about this GPU should be shown as its present state: the driver has lost it, or
// answers everything with an error. A lost GPU keeps printing what the driver remembers of it (limits, P-state).
std::optional<std::string> trouble_of(const pugi::xml_node& gpu) {
  const auto memory = first_block(gpu, {"fb_memory_usage", "memory_usage"});
  const auto power = first_block(gpu, {"gpu_power_readings", "power_readings"});
  const std::array<Field, 6> vital = {field(gpu, "temperature", "gpu_temp"), field(memory, "used"),
                                      field(gpu, "utilization", "gpu_util"), field(power, "power_draw"),
                                      field(power, "average_power_draw"),    field(power, "instant_power_draw")};
  std::size_t failed = 0;
  bool any_number = false;
  std::string_view error;
  for (const Field& one : vital) {
    if (!one.text) continue;
    const auto text = to_lower(*one.text);
    if (has(text, "gpu is lost") || has(text, "requires reset")) {
      return fmt::format(
          "nvidia-smi says \"{}\": look for Xid errors in the kernel log (dmesg), then reset the GPU "
          "(nvidia-smi --gpu-reset) or reboot",
          has(text, "gpu is lost") ? "GPU is lost" : "GPU requires reset");
    }
    any_number = any_number || leading_number(*one.text);
    if (one.reason() == Missing::failed) {
      ++failed;
      error = *one.text;
    }
  }
  if (any_number || failed < 2) return std::nullopt;
  return fmt::format(
      "nvidia-smi could read nothing of it (\"{}\"): look for Xid errors in the kernel log (dmesg), then "
      "reset the GPU or reboot",
      opening(error));
}

// ---- What runs on it ----------------------------------------------------------------------------------------------

// The executable's name: without its folder and, as far as they can be told apart, without its arguments. Newer drivers
// print a whole command line ("/opt/browser/browser --type=gpu-process --dir=/tmp"), and folders may hold blanks.
std::string executable_name(std::string_view command) {
  for (const auto* start : {" -", " /"}) command = command.substr(0, command.find(start));
  const bool windows = has(command, ":\\") || command.starts_with('\\');
  const auto slash = command.find_last_of(windows ? "\\/" : "/");
  if (slash != std::string_view::npos && slash + 1 < command.size()) command.remove_prefix(slash + 1);
  return printable(trim(command).substr(0, 128));
}

ProcessType type_in(std::string_view text) {
  ProcessType type;
  for (const auto letter : split(text, '+')) {
    const auto word = trim(letter);
    if (word == "C") type.compute = true;
    if (word == "G") type.graphics = true;
    if (word == "M") type.mps = true;
  }
  return type;
}

// The instance that a process names, among the GPU's partitions.
std::optional<DeviceId> partition_of(const pugi::xml_node& process, const std::map<std::string, DeviceId>& partitions) {
  if (partitions.empty()) return std::nullopt;
  const auto gpu_instance = count(field(process, "gpu_instance_id"));
  const auto compute_instance = count(field(process, "compute_instance_id"));
  if (!gpu_instance) return std::nullopt;
  const auto found =
      partitions.find(fmt::format("{}/{}", gpu_instance->value(), compute_instance ? compute_instance->value() : 0));
  return found == partitions.end() ? std::nullopt : std::optional(found->second);
}

// One process in one instance; several entries of it are its contexts, each with the memory of them all.
struct Merged {
  GpuProcess process;
  std::map<std::string, Bytes> memory;  // by instance
  std::set<std::optional<DeviceId>> partitions;
};

void merge(Merged& into, const pugi::xml_node& entry, bool compute_list,
           const std::map<std::string, DeviceId>& partitions) {
  GpuProcess& process = into.process;
  const auto type = field(entry, "type");
  const auto kind = type.text ? type_in(*type.text) : ProcessType{.compute = compute_list};
  process.type.compute |= kind.compute;
  process.type.graphics |= kind.graphics;
  process.type.mps |= kind.mps;
  if (process.name.empty()) {
    if (const auto name = words(field(entry, "process_name"))) process.name = executable_name(*name);
  }
  const auto used = bytes(field(entry, "used_memory"));
  const auto partition = partition_of(entry, partitions);
  into.partitions.insert(partition);
  if (used) {
    const auto [place, fresh] = into.memory.emplace(partition ? partition->text : "", *used);
    if (!fresh) place->second = std::max(place->second, *used);
  } else if (into.memory.empty() && !process.memory && process.memory.error() == Missing::not_supported) {
    process.memory = missing(used.error());
  }
}

void read_processes(const pugi::xml_node& gpu, ToolGpu& result, const std::map<std::string, DeviceId>& partitions) {
  const auto block = first_block(gpu, {"processes", "compute_processes"});
  const auto text = own_text(block);
  if (!block || (!text.empty() && to_lower(text) != "none" && !block.child("process_info"))) {
    const bool refused = reason_in(text) == Missing::not_permitted;
    result.processes = fail(refused ? Errc::not_permitted : Errc::not_supported,
                            text.empty() ? "nvidia-smi lists no processes for this GPU"
                                         : fmt::format("nvidia-smi says \"{}\"", opening(text)));
    return;
  }
  const bool compute_list = std::string_view(block.name()) == "compute_processes";  // the oldest schemas give no type
  std::map<std::int64_t, Merged> merged;
  for (const auto& entry : block.children("process_info")) {
    ++result.process_entries;
    const auto pid = count(field(entry, "pid"));
    if (!pid || pid->value() == 0 || pid->value() > 0x7fffffff) continue;
    auto& one = merged[static_cast<std::int64_t>(pid->value())];
    one.process.pid = static_cast<std::int64_t>(pid->value());
    merge(one, entry, compute_list, partitions);
  }
  std::vector<GpuProcess> list;
  list.reserve(merged.size());
  for (auto& [pid, one] : merged) {
    if (!one.memory.empty()) {
      Bytes total(0);
      for (const auto& [instance, used] : one.memory) total = total + used;
      one.process.memory = total;
    }
    if (one.partitions.size() == 1) one.process.partition = *one.partitions.begin();
    list.push_back(std::move(one.process));
  }
  result.processes = std::move(list);
}

// ---- Its MIG instances --------------------------------------------------------------------------------------------

std::map<std::string, DeviceId> read_partitions(const pugi::xml_node& gpu, ToolGpu& result) {
  std::map<std::string, DeviceId> by_instance;
  for (const auto& mig : gpu.child("mig_devices").children("mig_device")) {
    if (result.partitions.size() == kMaxPartitions) break;
    const auto gpu_instance = count(field(mig, "gpu_instance_id"));
    const auto compute_instance = count(field(mig, "compute_instance_id"));
    ToolPartition partition;
    Device& device = partition.device;
    device = result.device;
    device.serial = device.board_part_number = missing(Missing::not_supported);
    device.minor_number = missing(Missing::not_supported);
    device.parent = result.device.id;
    const auto place =
        gpu_instance ? fmt::format("{}/{}", gpu_instance->value(), compute_instance ? compute_instance->value() : 0)
                     : fmt::format("?/{}", result.partitions.size());
    // Without a UUID of its own: the name that drivers before 470 gave it.
    const auto uuid = words(field(mig, "uuid"));
    device.id.text = uuid && !has(*uuid, " ")        ? *uuid
                     : result.device.id.text.empty() ? ""
                                                     : fmt::format("MIG-{}/{}", result.device.id.text, place);
    std::string where = gpu_instance ? fmt::format("GPU instance {}", gpu_instance->value()) : "GPU instance unknown";
    if (compute_instance) where += fmt::format(", compute instance {}", compute_instance->value());
    const auto profile = words(field(mig, "profile"));
    // What tells it from the others stands first: a narrow table cuts the rest.
    device.partition = fmt::format("{} ({})", profile ? std::string(*profile) : "MIG " + place, where);
    device.name = fmt::format("{} MIG {}", result.device.name, profile ? *profile : place);

    Reading& reading = partition.reading;
    read_memory(mig, reading);
    // From the parent's one block: MIG shows only what SRAM errors could not be corrected.
    reading.ecc_uncorrected_volatile =
        sum(mig.child("ecc_error_count").child("volatile_count"),
            {"sram_uncorrectable", "sram_uncorrectable_parity", "sram_uncorrectable_secded"});
    const auto busy = mig.child("utilization");
    reading.utilization = percent(field(busy, "gpu_util"));
    by_instance.emplace(place, device.id);
    result.partitions.push_back(std::move(partition));
  }
  return by_instance;
}

// ---- The document -------------------------------------------------------------------------------------------------

// Where the document begins: behind a byte order mark, and behind warnings that nvidia-smi prints on lines of their own
// ("WARNING: infoROM is corrupted at gpu 0000:3B:00.0").
std::size_t start_of_document(std::string_view text) {
  std::size_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  if (trim(text.substr(start)).starts_with('<')) return start;
  for (const auto* first : {"\n<?xml", "\n<!DOCTYPE", "\n<nvidia_smi_log"}) {
    if (const auto at = text.find(first, start); at != std::string_view::npos) return at + 1;
  }
  return start;
}

// What is refused before the XML library sees it.
Result<bool> acceptable(std::string_view text, std::size_t begin) {
  if (text.size() > kMaxBytes) return refuse(fmt::format("it is larger than {} MiB", kMaxBytes >> 20));
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return refuse("it is UTF-16, as PowerShell's > writes it: save it as UTF-8 (| Out-File -Encoding utf8)");
  }
  const auto start = trim(text.substr(begin));
  if (start.empty()) return refuse("it is empty");
  if (start.front() != '<') return refuse(fmt::format("it is not XML; it begins with \"{}\"", opening(start)));
  if (const auto nul = text.find('\0'); nul != std::string_view::npos && nul < text.find_last_not_of('\0')) {
    return refuse(text, nul, "a NUL byte");
  }
  if (std::count(text.begin(), text.end(), '<') > 2 * kMaxElements) {
    return refuse(fmt::format("it has more than {} elements", kMaxElements));
  }
  // nvidia-smi names a DTD and declares nothing. Declarations are how XML bombs and file readers begin.
  if (const auto type = text.find("<!DOCTYPE"); type != std::string_view::npos) {
    const auto end = text.find_first_of("[>", type);
    if (end == std::string_view::npos) return refuse(text, type, "the DOCTYPE does not end");
    if (text[end] == '[')
      return refuse(text, end, "the DOCTYPE holds declarations of its own, which nvidia-smi never writes");
  }
  return true;
}

// Nothing when the tree is no deeper than allowed; else where it gets too deep.
std::optional<std::ptrdiff_t> too_deep(const pugi::xml_node& root) {
  int depth = 0;
  pugi::xml_node node = root;
  for (;;) {
    if (const auto child = node.first_child()) {
      node = child;
      if (++depth > kMaxDepth) return node.offset_debug();
      continue;
    }
    while (node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node == root) return std::nullopt;
    node = node.next_sibling();
  }
}

}  // namespace

Result<ToolDocument> parse_nvidia_smi(std::string_view text) {
  const auto start = start_of_document(text);
  if (const auto fine = acceptable(text, start); !fine) return tl::make_unexpected(fine.error());
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  const auto body = text.substr(start);
  const auto place = [start](std::ptrdiff_t offset) {
    return start + static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
  };

  pugi::xml_document xml;
  const auto parsed = xml.load_buffer(body.data(), body.size(), pugi::parse_escapes, pugi::encoding_utf8);
  if (!parsed) {
    const auto offset = place(parsed.offset);
    const bool cut = offset >= text.find_last_not_of(" \t\r\n");
    return refuse(text, offset,
                  fmt::format("{}{}", parsed.description(), cut ? "; the document may have been cut off" : ""));
  }
  if (const auto deep = too_deep(xml)) {
    return refuse(text, place(*deep), fmt::format("nested deeper than {}", kMaxDepth));
  }
  const auto log = xml.child("nvidia_smi_log");
  if (!log) {
    return refuse(
        text, place(xml.document_element().offset_debug()),
        fmt::format("the root element is <{}>, not <nvidia_smi_log>", opening(xml.document_element().name())));
  }

  ToolDocument document;
  for (const auto& gpu : log.children("gpu")) {
    ToolGpu& one = document.gpus.emplace_back();
    one.device = device_of(log, gpu);
    one.reading = reading_of(gpu, one.device.name);
    one.trouble = trouble_of(gpu);
    const auto partitions = read_partitions(gpu, one);
    read_processes(gpu, one, partitions);
  }
  return document;
}

}  // namespace gpukeeper
