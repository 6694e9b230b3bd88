#include "backend/simulated/model.hpp"

#include <algorithm>
#include <cmath>

#include "backend/simulated/fields.hpp"

namespace gpukeeper::simulated {
namespace {

// A middling board of each vendor; a scenario that wants another gives its own figures.
struct Board {
  double power_limit;
  double clock_idle;
  double clock_max;
  double clock_memory;
  double fan_rpm_max;
};

Board board_of(Vendor vendor) {
  switch (vendor) {
    case Vendor::nvidia: return {300, 345, 1980, 2619, 3500};
    case Vendor::amd: return {300, 250, 2500, 1250, 3300};
    case Vendor::intel: return {190, 600, 2450, 2187, 2700};
    case Vendor::other: break;
  }
  return {100, 300, 1000, 1000, 3000};
}

constexpr double kIdleShare = 0.12;  // of the power limit, drawn without work
constexpr double kWorkShare = 0.83;  // of the power limit, drawn more at full work
constexpr double kAmbient = 30;      // °C
constexpr double kWarming = 48;      // °C above it at the power limit
constexpr double kSlowdown = 92;     // °C
constexpr Bytes kReserved = 512_MiB;

}  // namespace

DeviceModel::DeviceModel(const DeviceSpec& physical, std::optional<std::size_t> partition, std::uint64_t seed)
    : physical_(physical),
      partition_(partition),
      spec_(partition ? physical.partitions.at(*partition) : physical),
      key_(mix(mix(seed, "noise"), spec_.device.id.text)) {}

std::uint64_t DeviceModel::noise_key(std::string_view name) const {
  return mix(key_, name);
}

std::optional<double> DeviceModel::given(std::string_view metric, double seconds) const {
  const auto found = spec_.metrics.find(metric);
  if (found == spec_.metrics.end()) return std::nullopt;
  const auto number = to_number(found->second.at(seconds, noise_key(metric)));
  return number ? std::optional(*number) : std::nullopt;
}

double DeviceModel::given_or(std::string_view metric, double seconds, double otherwise) const {
  return given(metric, seconds).value_or(otherwise);
}

std::vector<GpuProcess> DeviceModel::processes(double seconds) const {
  std::vector<GpuProcess> result;
  for (const ProcessSpec& spec : physical_.processes) {
    if (!spec.window.holds(seconds) || (partition_ && spec.partition != partition_)) continue;
    GpuProcess process;
    process.pid = spec.pid;
    process.name = spec.name;
    process.type = spec.type;
    if (spec.partition) process.partition = physical_.partitions.at(*spec.partition).device.id;
    // A process's curve runs from the process's own start, so that it looks the same each time it repeats.
    const double since =
        spec.window.repeat ? std::fmod(seconds - spec.window.start, *spec.window.repeat) : seconds - spec.window.start;
    const std::uint64_t key = mix(noise_key("process"), static_cast<std::uint64_t>(spec.pid));
    if (spec.memory) {
      const auto bytes = to_number(spec.memory->at(since, mix(key, "memory")));
      if (bytes) process.memory = Bytes(static_cast<std::uint64_t>(std::llround(std::max(0.0, *bytes))));
    }
    if (spec.utilization) {
      const auto percent = to_number(spec.utilization->at(since, mix(key, "utilization")));
      if (percent) process.utilization = Percent(std::clamp(*percent, 0.0, 100.0));
    }
    result.push_back(std::move(process));
  }
  return result;
}

double DeviceModel::utilization(double seconds) const {
  if (const auto percent = given("utilization_percent", seconds)) return std::clamp(*percent, 0.0, 100.0);
  double sum = 0;
  for (const GpuProcess& process : processes(seconds)) sum += process.utilization.value_or(Percent(0)).value();
  return std::min(100.0, sum);
}

double DeviceModel::memory_in_use(double seconds) const {
  double sum = spec_.memory_base;
  if (!partition_) {
    for (const DeviceSpec& partition : physical_.partitions) sum += partition.memory_base;
  }
  for (const GpuProcess& process : processes(seconds)) {
    sum += static_cast<double>(process.memory.value_or(Bytes(0)).value());
  }
  return sum;
}

double DeviceModel::power_limit(double seconds) const {
  return given_or("power_limit_watts", seconds, board_of(spec_.device.vendor).power_limit);
}

double DeviceModel::power(double seconds) const {
  if (const auto watts = given("power_watts", seconds)) return std::max(0.0, *watts);
  const double limit = power_limit(seconds);
  const double jitter = 0.006 * limit * normal(noise_key("power_watts"), seconds);
  return std::max(0.0, limit * (kIdleShare + kWorkShare * utilization(seconds) / 100) + jitter);
}

// The mean over the last 40 s: heat lags behind power. Before its start the scenario stood as at its start.
double DeviceModel::recent_power(double seconds) const {
  constexpr int kSamples = 20;
  constexpr double kApart = 2;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) sum += power(std::max(0.0, seconds - i * kApart));
  return sum / kSamples;
}

double DeviceModel::temperature(double seconds) const {
  if (const auto celsius = given("temperature_celsius", seconds)) return *celsius;
  const double limit = power_limit(seconds);
  return kAmbient + (limit > 0 ? kWarming * std::min(2.0, recent_power(seconds) / limit) : 0);
}

double DeviceModel::energy(double seconds) const {
  const auto whole = static_cast<std::uint64_t>(seconds);
  double sum = 0;
  {
    std::scoped_lock lock(mutex_);
    if (whole < energy_until_) {
      energy_until_ = 0;
      energy_ = 0;
    }
    for (; energy_until_ < whole; ++energy_until_) energy_ += power(static_cast<double>(energy_until_));
    sum = energy_;
  }
  const auto start = static_cast<double>(whole);
  return sum + (seconds - start) * power(start);
}

void DeviceModel::fill_memory(Reading& r, double seconds) const {
  const bool known = gives("memory_total_bytes") || spec_.memory_base > 0 || !physical_.processes.empty();
  if (!known) return;
  r.memory_used = Bytes(static_cast<std::uint64_t>(std::llround(memory_in_use(seconds))));
}

void DeviceModel::fill_common(Reading& r, double seconds) const {
  const Board board = board_of(spec_.device.vendor);
  const double load = utilization(seconds);
  const double limit = power_limit(seconds);
  const double watts = power(seconds);
  const double celsius = temperature(seconds);
  const double slowdown = given_or("temperature_slowdown_celsius", seconds, kSlowdown);
  const bool too_hot = celsius >= slowdown;
  const bool at_limit = limit > 0 && watts >= 0.98 * limit;

  r.temperature = Celsius(celsius);
  r.temperature_slowdown = Celsius(slowdown);
  r.temperature_shutdown = Celsius(slowdown + 5);
  const double fan = std::clamp(30 + 1.5 * (celsius - 45), 30.0, 100.0);
  r.fan = Percent(fan);
  r.fan_speed = Rpm(static_cast<std::uint32_t>(board.fan_rpm_max * given_or("fan_percent", seconds, fan) / 100));
  r.utilization = Percent(load);
  r.power = Watts(watts);
  r.power_limit = Watts(limit);
  r.power_limit_default = Watts(limit);
  r.power_limit_max = Watts(limit);

  const double clock_max = given_or("clock_graphics_max_mhz", seconds, board.clock_max);
  const double brake = too_hot ? 0.6 : at_limit ? 0.93 : 1.0;
  const double clock = load > 0 ? clock_max * brake * (0.7 + 0.3 * std::min(1.0, load / 30)) : board.clock_idle;
  r.clock_graphics_max = Megahertz(clock_max);
  r.clock_graphics = Megahertz(std::round(std::min(clock, clock_max)));
  const double clock_memory = given_or("clock_memory_max_mhz", seconds, board.clock_memory);
  r.clock_memory_max = Megahertz(clock_memory);
  r.clock_memory = Megahertz(clock_memory);

  const bool nvidia = spec_.device.vendor == Vendor::nvidia;
  ThrottleReasons reasons;
  if (too_hot) reasons.add(nvidia ? Throttle::hardware_thermal : Throttle::thermal);
  if (at_limit) reasons.add(nvidia ? Throttle::software_power_cap : Throttle::power);
  if (nvidia && load <= 0) reasons.add(Throttle::idle);
  r.throttle_reasons = reasons;

  r.pcie_generation = r.pcie_generation_max = Count(4);
  r.pcie_width = r.pcie_width_max = Count(16);
  r.runtime_power_state = "active";
}

void DeviceModel::fill_nvidia(Reading& r, double seconds) const {
  fill_common(r, seconds);
  const double load = utilization(seconds);
  const double celsius = temperature(seconds);
  r.temperature_memory = Celsius(celsius + 6);
  r.temperature_max_operating = Celsius(given_or("temperature_slowdown_celsius", seconds, kSlowdown) - 5);
  if (physical_.partitions.empty()) {
    r.utilization_memory = Percent(0.45 * load);
    r.utilization_encoder = r.utilization_decoder = r.utilization_jpeg = r.utilization_ofa = Percent(0);
  } else {
    r.utilization = missing(Missing::not_supported);  // as NVML: no utilization of a device in MIG mode
  }
  if (gives("memory_total_bytes")) r.memory_reserved = kReserved;
  r.memory_bar1_total = 256_MiB;
  r.memory_bar1_used = 5_MiB;
  r.power_instant = Watts(power(seconds));
  r.power_limit_min = Watts(std::round(power_limit(seconds) / 3));
  r.energy = Joules(energy(seconds));
  r.clock_sm = Megahertz(given_or("clock_graphics_mhz", seconds, r.clock_graphics->value()));
  r.clock_sm_max = r.clock_graphics_max;
  r.clock_video_max = Megahertz(std::round(0.85 * r.clock_graphics_max->value()));
  r.clock_video = Megahertz(std::round(0.85 * r.clock_sm->value()));
  r.performance_state = load > 0 ? "P0" : "P8";
  r.throttle_power_time = r.throttle_thermal_time = std::chrono::nanoseconds(0);
  r.pcie_rx = BytesPerSecond(4e6 + 9e6 * load);
  r.pcie_tx = BytesPerSecond(1e6 + 3e6 * load);
  r.pcie_replays = Count(0);
  r.ecc_enabled = true;
  r.ecc_corrected_volatile = r.ecc_uncorrected_volatile = Count(0);
  r.ecc_corrected_aggregate = r.ecc_uncorrected_aggregate = Count(0);
  r.remapped_rows_corrected = r.remapped_rows_uncorrected = Count(0);
  r.remapped_rows_pending = r.remapped_rows_failed = false;
  r.compute_mode = "default";
  r.persistence_mode = true;
  r.mig_mode = !physical_.partitions.empty();
}

void DeviceModel::fill_amd(Reading& r, double seconds) const {
  fill_common(r, seconds);
  const double load = utilization(seconds);
  const double celsius = temperature(seconds);
  r.temperature_hotspot = Celsius(celsius + 6 + 0.12 * load);
  r.temperature_memory = Celsius(celsius + 8);
  r.utilization_memory = Percent(0.5 * load);
  r.memory_gtt_total = 16_GiB;
  r.memory_gtt_used = 24_MiB;
  if (const auto total = given("memory_total_bytes", seconds)) {
    r.memory_bar1_total = Bytes(static_cast<std::uint64_t>(*total));
    r.memory_bar1_used = r.memory_used;
  }
  r.memory_unified = false;
  r.power_limit_min = Watts(0);
  r.performance_state = "auto";
}

void DeviceModel::fill_intel(Reading& r, double seconds) const {
  fill_common(r, seconds);
  const double load = utilization(seconds);
  r.temperature_memory = Celsius(temperature(seconds) + 4);
  r.fan = missing(Missing::not_supported);  // xe and i915 tell the fan's speed alone
  r.utilization_render = Percent(load);
  r.utilization_compute = Percent(0.6 * load);
  r.utilization_copy = Percent(0.1 * load);
  r.utilization_video = r.utilization_video_enhance = Percent(0);
  r.memory_unified = false;
  r.power_limit_min = r.power_limit_default = missing(Missing::not_supported);
  r.energy = Joules(energy(seconds));
}

Reading DeviceModel::read(double seconds) const {
  Reading r{Missing::not_supported};
  fill_memory(r, seconds);
  if (partition_) {
    // A partition has its memory, and on AMD its share of the engines; sensors belong to the board.
    if (spec_.device.vendor == Vendor::amd) r.utilization = Percent(utilization(seconds));
  } else {
    switch (spec_.device.vendor) {
      case Vendor::nvidia: fill_nvidia(r, seconds); break;
      case Vendor::amd: fill_amd(r, seconds); break;
      case Vendor::intel: fill_intel(r, seconds); break;
      case Vendor::other:
        r.temperature = Celsius(temperature(seconds));
        r.runtime_power_state = "active";
        break;
    }
  }
  for (const auto& [name, curve] : spec_.metrics) {
    find_metric_field(name)->set(r, curve.at(seconds, noise_key(name)));
  }
  // More than there is cannot be in use, whatever the processes add up to.
  if (r.memory_used && r.memory_total) {
    const Bytes room =
        gives("memory_used_bytes") ? *r.memory_total : remaining(*r.memory_total, r.memory_reserved.value_or(Bytes(0)));
    r.memory_used = std::min(*r.memory_used, room);
    if (r.memory_bar1_used && !gives("memory_bar1_used_bytes") && r.memory_bar1_total) {
      r.memory_bar1_used = std::min(*r.memory_bar1_used, *r.memory_bar1_total);
    }
  }
  return r;
}

}  // namespace gpukeeper::simulated
