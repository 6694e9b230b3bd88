#include "backend/amdgpu/amdgpu_card.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "backend/amdgpu/pp_dpm.hpp"
#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr auto kSlowPeriod = 10s;
constexpr auto kOldestScan = 10s;

// A tachometer that shows less than this belongs to a fan that stands: boards print 5 or 29 rpm then.
constexpr std::uint32_t kStandingFan = 100;

// A power firmware was once wedged by being asked every second while it did not answer: ask ever more seldom.
constexpr auto kFirstMetricsRest = 2s;
constexpr int kMostMetricsDoublings = 5;

// gpu_busy_percent is stuck at 100 on these (Raven, Picasso and Raven2; many reports against the kernel and tools).
bool busy_gets_stuck(std::uint16_t device) {
  return device == 0x15dd || device == 0x15d8;
}

// The MI300A is an APU in all that matters here, but shows itself as a board: one pool of HBM for processor and GPU.
bool is_mi300a(std::uint16_t device) {
  return device == 0x74a0;
}

template <class T>
Metric<T> metric(const std::optional<T>& value) {
  if (value) return *value;
  return missing(Missing::not_supported);
}

/// The first that is there; the first's reason when none is.
template <class T>
Metric<T> first_of(Metric<T> value, const std::optional<T>& otherwise) {
  if (!value && otherwise) return *otherwise;
  return value;
}

template <class T, class U>
Metric<T> as(const Metric<U>& value) {
  return value.map([](const U& number) { return T(number); });
}

Metric<Percent> percent_of(const Metric<std::uint64_t>& value) {
  if (value && *value > 100) return missing(Missing::failed);
  return value.map([](std::uint64_t number) { return Percent(static_cast<double>(number)); });
}

void add(ThrottleReasons& all, ThrottleReasons more) {
  for (std::uint32_t bit = 1; bit <= static_cast<std::uint32_t>(Throttle::other); bit <<= 1) {
    if (more.has(static_cast<Throttle>(bit))) all.add(static_cast<Throttle>(bit));
  }
}

}  // namespace

struct AmdgpuCard::Parts {
  std::optional<Hwmon> hwmon;
  std::string edge, junction, memory;        // "temp1"; empty when there is no such sensor
  std::string graphics_clock, memory_clock;  // "freq1_input"
  Metric<Celsius> slowdown = missing(Missing::not_supported);
  Metric<Celsius> shutdown = missing(Missing::not_supported);
  bool fan_controlled = true;

  bool has_metrics = false;
  bool has_busy = false, has_memory_busy = false, has_media_busy = false;
  Metric<std::uint64_t> vram_total = missing(Missing::not_supported);
  Metric<std::uint64_t> gtt_total = missing(Missing::not_supported);
  Metric<std::uint64_t> visible_total = missing(Missing::not_supported);

  std::optional<Megahertz> graphics_max, memory_max, video_max;
  bool graphics_levels = false, memory_levels = false, video_levels = false;
  LinkPlace link;
  bool link_is_inside = false;                                       // the link files show the inside of the card
  std::optional<std::uint32_t> link_generation_max, link_width_max;  // of pp_dpm_pcie
  std::vector<std::string> error_files;
  bool has_bad_pages = false;
};

struct AmdgpuCard::Slow {
  MonotonicTime at;
  Metric<Watts> limit_default = missing(Missing::not_supported);
  Metric<Watts> limit_min = missing(Missing::not_supported);
  Metric<Watts> limit_max = missing(Missing::not_supported);
  Metric<std::string> performance = missing(Missing::not_supported);
  Metric<std::uint64_t> replays = missing(Missing::not_supported);
  PcieLink link;
  std::vector<PcieLevel> link_levels;
  Metric<bool> ecc = missing(Missing::not_supported);
  Metric<Count> corrected = missing(Missing::not_supported);
  Metric<Count> uncorrected = missing(Missing::not_supported);
  Metric<Count> retired = missing(Missing::not_supported);
  Metric<bool> retired_pending = missing(Missing::not_supported);
  std::vector<Sensor> sensors;
};

AmdgpuCard::AmdgpuCard(const Files& files, DrmCard card, std::vector<KfdNode> nodes, bool recorded)
    : files_(files), card_(std::move(card)), nodes_(std::move(nodes)), recorded_(recorded) {}

bool AmdgpuCard::is(const DrmCard& other) const {
  return card_.folder == other.folder && card_.driver == other.driver && card_.pci == other.pci &&
         card_.device_id == other.device_id;
}

AmdgpuCard::Facts AmdgpuCard::read_facts(const Files& files, const std::string& device_folder) {
  const auto text = [&](std::string_view file) { return read_text(files, fmt::format("{}/{}", device_folder, file)); };
  Facts facts;
  facts.vbios = text("vbios_version");
  facts.serial = text("serial_number");
  facts.part_number = text("product_number");
  facts.product = text("product_name").value_or("");
  facts.partition_mode = text("current_compute_partition").value_or("");
  const auto id = text("unique_id").value_or("");
  if (const auto number = parse_u64(id, 16); number && *number != 0) facts.unique_id = fmt::format("{:016x}", *number);
  return facts;
}

void AmdgpuCard::find_parts() {
  auto parts = std::make_shared<Parts>();
  const auto names = files_.list(card_.device_folder);
  const auto has = [&](std::string_view name) {
    return names && std::binary_search(names->begin(), names->end(), name);
  };
  parts->hwmon = Hwmon::find(files_, card_.device_folder, "amdgpu");
  bool vddnb = false;
  if (parts->hwmon) {
    const Hwmon& hwmon = *parts->hwmon;
    const auto channel = [&](std::string_view kind, std::string_view label) {
      const auto number = hwmon.labelled(kind, label);
      return number ? fmt::format("{}{}", kind, *number) : std::string();
    };
    parts->edge = channel("temp", "edge");
    parts->junction = channel("temp", "junction");
    parts->memory = channel("temp", "mem");
    // The oldest kernels label nothing, and have one temperature.
    if (parts->edge.empty() && hwmon.has("temp1_input") && hwmon.label("temp", 1).empty()) parts->edge = "temp1";
    const std::string& main = parts->edge.empty() ? parts->junction : parts->edge;
    const auto limit = [&](std::string_view suffix) -> Metric<Celsius> {
      if (main.empty()) return missing(Missing::not_supported);
      const auto value = hwmon.celsius(main + std::string(suffix));
      if (value && value->value() <= 0) return missing(Missing::not_supported);  // no limit is set
      return value;
    };
    parts->slowdown = limit("_crit");
    parts->shutdown = limit("_emergency");
    const auto graphics = channel("freq", "sclk");
    const auto memory = channel("freq", "mclk");
    if (!graphics.empty()) parts->graphics_clock = graphics + "_input";
    if (!memory.empty()) parts->memory_clock = memory + "_input";
    // 0 hands the fan to the hardware: what the driver then shows as pwm1 is no intention of anybody.
    parts->fan_controlled = hwmon.number("pwm1_enable").value_or(2) != 0;
    const auto rail = hwmon.labelled("in", "vddnb");
    vddnb = rail.has_value();
  }
  parts->has_metrics = has("gpu_metrics");
  parts->has_busy = has("gpu_busy_percent");
  parts->has_memory_busy = has("mem_busy_percent");
  parts->has_media_busy = has("vcn_busy_percent");
  parts->vram_total = count("mem_info_vram_total");
  parts->gtt_total = count("mem_info_gtt_total");
  parts->visible_total = count("mem_info_vis_vram_total");

  const auto levels = [&](std::string_view file) { return parse_dpm_levels(files_.read(path(file)).value_or("")); };
  const auto graphics = levels("pp_dpm_sclk");
  const auto memory = levels("pp_dpm_mclk");
  const auto video = levels("pp_dpm_vclk");
  parts->graphics_max = highest_clock(graphics);
  parts->memory_max = highest_clock(memory);
  parts->video_max = highest_clock(video);
  parts->graphics_levels = !graphics.empty();
  parts->memory_levels = !memory.empty();
  parts->video_levels = !video.empty();

  parts->link = find_link(files_, card_);
  // Boards since Vega have a PCIe switch on them. Without its place in the tree the link files show the connection
  // behind it; the junction sensor tells such a board (the kernel has it on "SOC15 dGPUs" only, amdgpu_pm.c).
  parts->link_is_inside = !parts->link.climbed && !parts->junction.empty();
  for (const PcieLevel& level : parse_pcie_levels(files_.read(path("pp_dpm_pcie")).value_or(""))) {
    if (level.generation && parts->link_generation_max.value_or(0) < *level.generation) {
      parts->link_generation_max = level.generation;
    }
    parts->link_width_max = std::max(parts->link_width_max.value_or(0), level.width);
  }
  if (has("ras")) {
    for (const auto& name : files_.list(path("ras")).value_or(std::vector<std::string>())) {
      if (name.ends_with("_err_count")) parts->error_files.push_back("ras/" + name);
      if (name == "gpu_vram_bad_pages") parts->has_bad_pages = true;
    }
  }

  // Only APUs have the rail "vddnb" (amdgpu_pm.c: "only APUs have vddnb"), and only they have metrics of format 2 and 3
  // (set_unified below). The compute driver sees some of them as one node with cores of both kinds.
  const bool node_with_cores = std::any_of(nodes_.begin(), nodes_.end(), [](const auto& n) { return n.has_cpu_cores; });
  {
    std::scoped_lock lock(mutex_);
    unified_ = vddnb || node_with_cores || is_mi300a(card_.device_id);
  }
  parts_ = std::move(parts);
  slow_.reset();
  metrics_failures_ = 0;
  metrics_retry_at_ = {};
}

Metric<std::uint64_t> AmdgpuCard::count(std::string_view file) {
  const auto text = files_.read(path(file));
  if (text) return count_from(*text);
  if (text.error().code == Errc::unavailable) refused_ = true;
  return missing(missing_from(text.error().code));
}

std::optional<GpuMetrics> AmdgpuCard::read_metrics(MonotonicTime now) {
  if (!parts_->has_metrics || now < metrics_retry_at_) return std::nullopt;
  const auto bytes = files_.read(path("gpu_metrics"));
  const auto metrics = bytes ? parse_gpu_metrics(*bytes) : Result<GpuMetrics>(tl::make_unexpected(bytes.error()));
  if (metrics) {
    metrics_failures_ = 0;
    return *metrics;
  }
  switch (metrics.error().code) {
    case Errc::unavailable: refused_ = true; break;
    case Errc::not_supported:  // a version of tomorrow, or a chip without the table: it will not change
      parts_->has_metrics = false;
      break;
    default:
      metrics_retry_at_ = now + kFirstMetricsRest * (1 << std::min(metrics_failures_, kMostMetricsDoublings));
      ++metrics_failures_;
  }
  return std::nullopt;
}

void AmdgpuCard::set_temperatures(Reading& reading, const GpuMetrics* metrics) const {
  if (const auto& hwmon = parts_->hwmon) {
    const auto read = [&](const std::string& channel) -> Metric<Celsius> {
      if (channel.empty()) return missing(Missing::not_supported);
      return hwmon->celsius(channel + "_input");
    };
    reading.temperature = read(parts_->edge);
    reading.temperature_hotspot = read(parts_->junction);
    reading.temperature_memory = read(parts_->memory);
  }
  if (metrics != nullptr) {
    reading.temperature = first_of(reading.temperature, metrics->temperature_edge);
    reading.temperature = first_of(reading.temperature, metrics->temperature_graphics);
    reading.temperature_hotspot = first_of(reading.temperature_hotspot, metrics->temperature_hotspot);
    reading.temperature_memory = first_of(reading.temperature_memory, metrics->temperature_memory);
  }
  // The MI300 series has no sensor at the edge. Its hotspot is not told as one: it stands under its own name, and
  // state_of looks at it there. The limits are the hotspot's then.
  reading.temperature_slowdown = parts_->slowdown;
  reading.temperature_shutdown = parts_->shutdown;
}

void AmdgpuCard::set_power(Reading& reading, const GpuMetrics* metrics) const {
  if (const auto& hwmon = parts_->hwmon) {
    // power1_average on most boards, power1_input on newer ones and on APUs, where some have both.
    reading.power = hwmon->watts("power1_average");
    reading.power_instant = hwmon->watts("power1_input");
    if (!reading.power && reading.power_instant) reading.power = reading.power_instant;
    reading.power_limit = hwmon->watts("power1_cap");
    if (const auto energy = hwmon->microjoules("energy1_input")) reading.energy = from_microjoules(*energy);
  }
  if (metrics == nullptr) return;
  reading.power = first_of(reading.power, metrics->power_socket);
  if (!reading.energy) reading.energy = metric(metrics->energy);
}

void AmdgpuCard::set_fan(Reading& reading, const GpuMetrics* metrics) const {
  if (const auto& hwmon = parts_->hwmon) {
    reading.fan_speed = hwmon->rpm("fan1_input");
    if (parts_->fan_controlled) reading.fan = hwmon->pwm(1);
  }
  // SMU 14 boards of some kernels have no fan1_input. Neither have passive boards and those of laptops, where the table
  // holds 0: that is no fan, not a standing one.
  if (metrics != nullptr && reading.fan_speed == Metric<Rpm>(missing(Missing::not_supported)) &&
      metrics->fan_speed.value_or(Rpm(0)) > Rpm(0)) {
    reading.fan_speed = metric(metrics->fan_speed);
  }
  // In the zero-rpm range the firmware leaves the duty cycle as it last was, and in laptops the fan belongs to another
  // controller. A duty cycle that the tachometer contradicts says nothing.
  if (reading.fan && reading.fan_speed) {
    const bool stands = reading.fan_speed->value() < kStandingFan;
    if (stands != (reading.fan->value() == 0)) reading.fan = missing(Missing::not_supported);
  }
}

void AmdgpuCard::set_clocks(Reading& reading, const GpuMetrics* metrics) const {
  if (const auto& hwmon = parts_->hwmon) {
    if (!parts_->graphics_clock.empty()) reading.clock_graphics = hwmon->megahertz(parts_->graphics_clock);
    if (!parts_->memory_clock.empty()) reading.clock_memory = hwmon->megahertz(parts_->memory_clock);
  }
  if (metrics != nullptr) {
    reading.clock_graphics = first_of(reading.clock_graphics, metrics->clock_graphics);
    reading.clock_graphics = first_of(reading.clock_graphics, metrics->clock_graphics_average);
    reading.clock_memory = first_of(reading.clock_memory, metrics->clock_memory);
    reading.clock_memory = first_of(reading.clock_memory, metrics->clock_memory_average);
    reading.clock_video = first_of(metric(metrics->clock_video), metrics->clock_video_average);
  }
  const auto star = [&](Metric<Megahertz>& clock, bool there, std::string_view file) {
    if (!clock && there) clock = first_of(clock, starred_clock(parse_dpm_levels(files_.read(path(file)).value_or(""))));
  };
  star(reading.clock_graphics, parts_->graphics_levels, "pp_dpm_sclk");
  star(reading.clock_memory, parts_->memory_levels, "pp_dpm_mclk");
  star(reading.clock_video, parts_->video_levels, "pp_dpm_vclk");
  reading.clock_graphics_max = metric(parts_->graphics_max);
  reading.clock_memory_max = metric(parts_->memory_max);
  reading.clock_video_max = metric(parts_->video_max);
}

void AmdgpuCard::set_memory(Reading& reading) {
  const auto set = [&](Metric<Bytes>& total, Metric<Bytes>& used, const Metric<std::uint64_t>& all,
                       std::string_view file) {
    total = as<Bytes>(all);
    used = as<Bytes>(count(file));
    if (total && used && *used > *total) used = missing(Missing::failed);
  };
  set(reading.memory_total, reading.memory_used, parts_->vram_total, "mem_info_vram_used");
  set(reading.memory_gtt_total, reading.memory_gtt_used, parts_->gtt_total, "mem_info_gtt_used");
  set(reading.memory_bar1_total, reading.memory_bar1_used, parts_->visible_total, "mem_info_vis_vram_used");
  const auto shares = unified();
  if (shares) reading.memory_unified = *shares;
}

void AmdgpuCard::set_load(Reading& reading, const GpuMetrics* metrics, MonotonicTime now) {
  if (parts_->has_busy) {
    reading.utilization = percent_of(count("gpu_busy_percent"));
    // A recording shows what was recorded.
    if (!recorded_ && busy_gets_stuck(card_.device_id) && reading.utilization == Metric<Percent>(Percent(100))) {
      reading.utilization = missing(Missing::failed);
    }
  }
  if (metrics != nullptr) {
    reading.utilization = first_of(reading.utilization, metrics->activity_graphics);
    reading.utilization_memory = metric(metrics->activity_memory);
    reading.utilization_video = metric(metrics->activity_media);
  }
  if (!reading.utilization_memory && parts_->has_memory_busy) {
    reading.utilization_memory = percent_of(count("mem_busy_percent"));
  }
  if (!reading.utilization_video && parts_->has_media_busy) {
    reading.utilization_video = percent_of(count("vcn_busy_percent"));
  }
  set_engines(reading, now);
}

void AmdgpuCard::set_engines(Reading& reading, MonotonicTime now) const {
  std::shared_ptr<const DrmScan> scan;
  {
    std::scoped_lock lock(mutex_);
    scan = scan_;
  }
  if (!card_.pci || (scan && !scan->valid)) return;
  struct Engine {
    Metric<Percent> Reading::*field;
    EngineClass kind;
  };
  constexpr Engine kEngines[] = {
      {&Reading::utilization_render, EngineClass::render},
      {&Reading::utilization_copy, EngineClass::copy},
      {&Reading::utilization_compute, EngineClass::compute},
      {&Reading::utilization_encoder, EngineClass::encode},
      {&Reading::utilization_decoder, EngineClass::decode},
      {&Reading::utilization_jpeg, EngineClass::jpeg},
      {&Reading::utilization_video_enhance, EngineClass::video_enhance},
  };
  for (const Engine& engine : kEngines) {
    Metric<Percent>& field = reading.*engine.field;
    if (!scan || now - scan->taken_at > kOldestScan) {
      field = missing(Missing::not_yet_read);
    } else if (!scan->complete) {
      field = missing(scan->why_incomplete());
    } else if (engine.kind != EngineClass::compute || scan->kfd_pids.empty()) {
      // What the queues of the compute driver do is not counted in fdinfo: no sum then.
      field = scan->device(*card_.pci).busy[engine.kind];
    }
  }
  if (!reading.utilization && scan && scan->complete && scan->kfd_pids.empty()) {
    if (const auto busiest = scan->device(*card_.pci).busy.busiest()) reading.utilization = busiest;
  }
}

void AmdgpuCard::set_link_state(Reading& reading, const GpuMetrics* metrics) const {
  PcieLink link = slow_->link;
  if (parts_->link_is_inside) {
    link = PcieLink{};
    link.generation_max = metric(parts_->link_generation_max);
    link.width_max = metric(parts_->link_width_max);
    // Several stars on different links tell nothing.
    std::optional<PcieLevel> starred;
    bool certain = true;
    for (const PcieLevel& level : slow_->link_levels) {
      if (!level.current) continue;
      certain = certain && (!starred || (starred->generation == level.generation && starred->width == level.width));
      starred = level;
    }
    if (starred && certain) {
      link.generation = metric(starred->generation);
      link.width = starred->width;
    }
    if (metrics != nullptr && metrics->pcie_width && metrics->pcie_speed) {
      const auto generation = parse_link_generation(fmt::format("{}", *metrics->pcie_speed / 10.0));
      const auto width = parse_link_width(fmt::format("{}", *metrics->pcie_width));
      if (generation && width) {
        link.generation = *generation;
        link.width = *width;
      }
    }
  }
  set_link(reading, link);
  reading.pcie_replays = as<Count>(slow_->replays);
  if (metrics != nullptr && !reading.pcie_replays && metrics->pcie_replays) {
    reading.pcie_replays = Count(*metrics->pcie_replays);
  }
}

void AmdgpuCard::set_throttle(Reading& reading, const GpuMetrics* metrics) {
  if (metrics == nullptr) return;
  const auto told = metrics->throttle_reasons();
  reading.throttle_reasons = metric(told);
  if (!metrics->throttle_counters.any()) return;
  if (throttle_before_) {
    ThrottleReasons reasons = told.value_or(ThrottleReasons());
    add(reasons, metrics->throttle_counters.since(*throttle_before_));
    reading.throttle_reasons = reasons;
  } else if (!told) {
    reading.throttle_reasons = missing(Missing::not_yet_read);
  }
  throttle_before_ = metrics->throttle_counters;
}

void AmdgpuCard::set_xgmi(Reading& reading, const GpuMetrics* metrics, MonotonicTime now) {
  if (!nodes_.empty() && !nodes_.front().xgmi_peers.empty()) {
    reading.interconnect_links = Count(nodes_.front().xgmi_peers.size());
  }
  if (metrics == nullptr || metrics->xgmi.empty()) return;
  Xgmi sum{now, 0, 0};
  std::uint64_t known = 0, active = 0, counting = 0;
  for (const auto& link : metrics->xgmi) {
    if (link.active) {
      ++known;
      if (*link.active) ++active;
    }
    if (!link.read_kib || !link.written_kib) continue;
    ++counting;
    sum.read_kib += *link.read_kib;
    sum.written_kib += *link.written_kib;
  }
  if (known > 0) {
    reading.interconnect_links = Count(known);
    reading.interconnect_links_active = Count(active);
  }
  if (counting == 0) return;
  reading.interconnect_rx = reading.interconnect_tx = missing(Missing::not_yet_read);
  if (xgmi_before_ && now > xgmi_before_->at) {
    const double seconds = std::chrono::duration<double>(now - xgmi_before_->at).count();
    const auto rate = [&](std::uint64_t after, std::uint64_t before) -> Metric<BytesPerSecond> {
      if (after < before) return missing(Missing::not_yet_read);  // the driver was loaded again
      return BytesPerSecond(static_cast<double>(after - before) * 1024.0 / seconds);
    };
    reading.interconnect_rx = rate(sum.read_kib, xgmi_before_->read_kib);
    reading.interconnect_tx = rate(sum.written_kib, xgmi_before_->written_kib);
  }
  xgmi_before_ = sum;
}

// Error counts of all blocks that have them: "ue: 0", "ce: 12" in files named after the block (amdgpu_ras.c). On server
// boards only.
void AmdgpuCard::read_errors(Slow& slow) const {
  for (const auto& file : parts_->error_files) {
    const auto text = files_.read(path(file));
    if (!text) continue;
    slow.ecc = true;
    for (const auto line : lines(*text)) {
      const auto parts = split(line, ':');
      const auto number = parts.size() == 2 ? parse_u64(parts[1]) : std::nullopt;
      if (!number) continue;
      const auto kind = trim(parts[0]);
      if (kind == "ce") slow.corrected = Count(slow.corrected.value_or(Count(0)).value() + *number);
      if (kind == "ue") slow.uncorrected = Count(slow.uncorrected.value_or(Count(0)).value() + *number);
    }
  }
  if (!parts_->has_bad_pages) return;
  const auto pages = files_.read(path("ras/gpu_vram_bad_pages"));
  if (!pages) return;
  // "0x00000000 : 0x00001000 : R": retired; P: waits to be; F: could not be, and is still in use.
  std::uint64_t retired = 0;
  bool pending = false;
  for (const auto line : lines(*pages)) {
    const auto parts = split(line, ':');
    if (parts.size() != 3) continue;
    const auto state = trim(parts[2]);
    if (state == "R") ++retired;
    pending = pending || state == "P" || state == "F";
  }
  slow.retired = Count(retired);
  slow.retired_pending = pending;
}

void AmdgpuCard::set_slow(Reading& reading, MonotonicTime now) {
  if (!slow_ || now - slow_->at >= kSlowPeriod) {
    auto slow = std::make_shared<Slow>();
    slow->at = now;
    if (const auto& hwmon = parts_->hwmon) {
      slow->limit_default = hwmon->watts("power1_cap_default");
      slow->limit_min = hwmon->watts("power1_cap_min");
      slow->limit_max = hwmon->watts("power1_cap_max");
      // A second power channel is the fast limit of an APU (power1 slowPPT, power2 fastPPT).
      for (const unsigned channel : hwmon->channels("power", "cap")) {
        if (channel == 1) continue;
        const auto label = hwmon->label("power", channel);
        const auto name = label.empty() ? fmt::format("power{}", channel) : label;
        const auto cap = hwmon->watts(fmt::format("power{}_cap", channel));
        if (cap) slow->sensors.push_back({name + " limit", "watts", cap->value()});
      }
    }
    slow->performance = read_text(files_, path("power_dpm_force_performance_level"));
    slow->replays = count("pcie_replay_count");
    if (parts_->link_is_inside) {
      slow->link_levels = parse_pcie_levels(files_.read(path("pp_dpm_pcie")).value_or(""));
    } else {
      slow->link = read_link_state(files_, parts_->link);
    }
    read_errors(*slow);
    slow_ = std::move(slow);
  }
  reading.power_limit_default = slow_->limit_default;
  reading.power_limit_min = slow_->limit_min;
  reading.power_limit_max = slow_->limit_max;
  reading.performance_state = slow_->performance;
  reading.ecc_enabled = slow_->ecc;
  reading.ecc_corrected_volatile = slow_->corrected;
  reading.ecc_uncorrected_volatile = slow_->uncorrected;
  reading.retired_pages_uncorrected = slow_->retired;
  reading.retired_pages_pending = slow_->retired_pending;
  reading.sensors = slow_->sensors;
}

void AmdgpuCard::add_sensors(Reading& reading, const GpuMetrics* metrics) const {
  if (metrics == nullptr) return;
  const auto add_one = [&](std::string name, std::string_view unit, const auto& value) {
    if (value) reading.sensors.push_back({std::move(name), std::string(unit), value->value()});
  };
  add_one("regulator graphics", "celsius", metrics->temperature_regulator_graphics);
  add_one("regulator SoC", "celsius", metrics->temperature_regulator_soc);
  add_one("regulator memory", "celsius", metrics->temperature_regulator_memory);
  add_one("SoC", "celsius", metrics->temperature_soc);
  add_one("skin", "celsius", metrics->temperature_skin);
  for (std::size_t i = 0; i < metrics->temperature_hbm.size(); ++i) {
    add_one(fmt::format("HBM {}", i), "celsius", metrics->temperature_hbm[i]);
  }
  add_one("processor cores", "watts", metrics->power_cpu);
  add_one("graphics", "watts", metrics->power_graphics);
  add_one("SoC", "megahertz", metrics->clock_soc);
}

Result<Reading> AmdgpuCard::read(MonotonicTime now) {
  refused_ = false;
  if (!parts_ || (parts_->hwmon && parts_->hwmon->gone())) find_parts();
  Reading reading{Missing::not_supported};
  const auto table = read_metrics(now);
  const GpuMetrics* metrics = table ? &*table : nullptr;
  {
    std::scoped_lock lock(mutex_);
    if (metrics != nullptr && metrics->format >= 2) unified_ = true;
    partitions_ = metrics != nullptr ? metrics->partitions : std::vector<GpuMetrics::Partition>();
  }
  set_slow(reading, now);
  set_temperatures(reading, metrics);
  set_power(reading, metrics);
  set_fan(reading, metrics);
  set_clocks(reading, metrics);
  set_memory(reading);
  set_load(reading, metrics, now);
  set_link_state(reading, metrics);
  set_throttle(reading, metrics);
  set_xgmi(reading, metrics, now);
  add_sensors(reading, metrics);

  if (!parts_->hwmon || parts_->hwmon->gone()) {
    const auto there = files_.read(path("uevent"));
    if (!there && there.error().code == Errc::not_found) {
      parts_.reset();
      return fail(Errc::not_found, fmt::format("read {}: it has left the bus, or its driver was unbound ({})",
                                               card_.id().text, there.error().message));
    }
  }
  const bool refused = (parts_->hwmon && parts_->hwmon->take_refused()) || refused_;
  if (refused) parts_.reset();  // what was not told now is not to be remembered, and after a reset may stand elsewhere
  if (refused && !reading.temperature && !reading.power && !reading.utilization && metrics == nullptr) {
    return fail(Errc::unavailable,
                fmt::format("read {}: the driver answers \"not now\": the card is starting, falling asleep or being "
                            "reset; it is asked again",
                            card_.id().text));
  }
  return reading;
}

Reading AmdgpuCard::read_partition(std::size_t index) const {
  Reading reading{Missing::not_supported};
  if (index < nodes_.size() && nodes_[index].memory.value() > 0) reading.memory_total = nodes_[index].memory;
  std::scoped_lock lock(mutex_);
  if (index < partitions_.size()) {
    reading.utilization = metric(partitions_[index].activity);
    reading.utilization_video = metric(partitions_[index].activity_media);
  }
  return reading;
}

void AmdgpuCard::forget_rates() {
  throttle_before_.reset();
  xgmi_before_.reset();
  slow_.reset();
  std::scoped_lock lock(mutex_);
  partitions_.clear();
}

void AmdgpuCard::take_scan(std::shared_ptr<const DrmScan> scan) {
  std::scoped_lock lock(mutex_);
  scan_ = std::move(scan);
}

std::optional<bool> AmdgpuCard::unified() const {
  std::scoped_lock lock(mutex_);
  return unified_;
}

}  // namespace gpukeeper
