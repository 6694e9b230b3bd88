#include "backend/nvidia_smi/gpu_reading.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "backend/nvidia_smi/xml_field.hpp"
#include "core/text.hpp"

namespace gpukeeper::nvidia_smi {
namespace {

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

}  // namespace

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

Reading partition_reading_of(const pugi::xml_node& mig) {
  Reading reading{Missing::not_supported};
  read_memory(mig, reading);
  // From the parent's one block: MIG shows only what SRAM errors could not be corrected.
  reading.ecc_uncorrected_volatile =
      sum(mig.child("ecc_error_count").child("volatile_count"),
          {"sram_uncorrectable", "sram_uncorrectable_parity", "sram_uncorrectable_secded"});
  reading.utilization = percent(field(mig, "utilization", "gpu_util"));
  return reading;
}

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

}  // namespace gpukeeper::nvidia_smi
