#include "backend/simulated/model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "device/metric_fields.hpp"

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

// Power of the model's own making at a level limit stays below it, and its warmth below kSlowdown.
static_assert(kAmbient + 1.05 * kWarming < kSlowdown);
bool may_overheat(const DeviceSpec& spec) {
  for (const auto* metric : {"temperature_celsius", "temperature_slowdown_celsius", "power_watts"}) {
    if (spec.metrics.contains(metric)) return true;
  }
  const auto limit = spec.metrics.find("power_limit_watts");
  return limit != spec.metrics.end() &&
         (!std::holds_alternative<Curve::Value>(limit->second.shape) || limit->second.jitter > 0);
}

bool reaches_limit(double watts, double limit) {
  return limit > 0 && watts >= 0.98 * limit;
}

// A process's curves run from the process's own start, so that it looks the same each time it repeats.
Metric<double> metric_of(const std::optional<Curve>& curve, const Window& window, double seconds, std::uint64_t key) {
  if (!curve) return missing(Missing::not_supported);
  const auto number = to_number(curve->at(window.since(seconds), key));
  if (!number) return number;
  return std::max(0.0, *number);
}

std::optional<double> value_of(const std::optional<Curve>& curve, const Window& window, double seconds,
                               std::uint64_t key) {
  const auto number = metric_of(curve, window, seconds, key);
  return number ? std::optional(*number) : std::nullopt;
}

}  // namespace

DeviceModel::DeviceModel(const DeviceSpec& physical, std::optional<std::size_t> partition, std::uint64_t seed)
    : physical_(physical),
      partition_(partition),
      spec_(partition ? physical.partitions.at(*partition) : physical),
      key_(mix(mix(seed, "noise"), spec_.device.id.text)),
      may_overheat_(may_overheat(spec_)) {}

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

bool DeviceModel::runs(const ProcessSpec& process, double seconds) const {
  return process.window.holds(seconds) && (!partition_ || process.partition == partition_);
}

std::optional<double> DeviceModel::memory_of(const ProcessSpec& process, double seconds) const {
  const auto key = mix(mix(key_, "process memory"), static_cast<std::uint64_t>(process.pid));
  return value_of(process.memory, process.window, seconds, key);
}

std::optional<double> DeviceModel::load_of(const ProcessSpec& process, double seconds) const {
  const auto key = mix(mix(key_, "process utilization"), static_cast<std::uint64_t>(process.pid));
  const auto percent = value_of(process.utilization, process.window, seconds, key);
  return percent ? std::optional(std::min(100.0, *percent)) : std::nullopt;
}

std::shared_ptr<const ProcessFacts> DeviceModel::who(const ProcessSpec& process, double seconds, WallTime begin) const {
  auto facts = std::make_shared<ProcessFacts>(process.who.facts);
  const auto key = mix(key_, static_cast<std::uint64_t>(process.pid));
  const double started = seconds - process.window.since(seconds) - process.who.age;
  facts->started = begin + std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(started));
  const auto cpu = metric_of(process.who.cpu, process.window, seconds, mix(key, "process cpu"));
  facts->cpu = cpu.map([](double percent) { return Percent(percent); });
  const auto resident = metric_of(process.who.resident, process.window, seconds, mix(key, "process resident"));
  facts->resident = resident.map([](double bytes) { return Bytes(static_cast<std::uint64_t>(std::llround(bytes))); });
  return facts;
}

std::vector<GpuProcess> DeviceModel::processes(double seconds, WallTime begin) const {
  std::vector<GpuProcess> result;
  for (const ProcessSpec& spec : physical_.processes) {
    if (!runs(spec, seconds)) continue;
    GpuProcess process;
    process.pid = spec.pid;
    process.name = spec.name;
    process.type = spec.type;
    if (spec.partition) process.partition = physical_.partitions.at(*spec.partition).device.id;
    if (const auto bytes = memory_of(spec, seconds)) {
      process.memory = Bytes(static_cast<std::uint64_t>(std::llround(*bytes)));
    }
    // NVML does not tell the utilization of processes in MIG instances (nvmlDeviceGetProcessUtilization).
    const bool hidden = spec.partition && spec_.device.vendor == Vendor::nvidia;
    if (const auto percent = load_of(spec, seconds); percent && !hidden) process.utilization = Percent(*percent);
    process.facts = who(spec, seconds, begin);
    result.push_back(std::move(process));
  }
  return result;
}

double DeviceModel::load(double seconds) const {
  if (const auto percent = given("utilization_percent", seconds)) return std::clamp(*percent, 0.0, 100.0);
  double sum = 0;
  for (const ProcessSpec& process : physical_.processes) {
    if (runs(process, seconds)) sum += load_of(process, seconds).value_or(0);
  }
  return std::min(100.0, sum);
}

// Nothing when the scenario says nothing of memory: absent is not zero.
std::optional<double> DeviceModel::memory_in_use(double seconds) const {
  bool known = gives("memory_total_bytes") || spec_.memory_base > 0;
  double sum = spec_.memory_base;
  if (!partition_) {
    for (const DeviceSpec& partition : physical_.partitions) sum += partition.memory_base;
  }
  for (const ProcessSpec& process : physical_.processes) {
    known = known || process.memory.has_value();
    if (runs(process, seconds)) sum += memory_of(process, seconds).value_or(0);
  }
  return known ? std::optional(sum) : std::nullopt;
}

double DeviceModel::power_limit(double seconds) const {
  return given_or("power_limit_watts", seconds, board_of(spec_.device.vendor).power_limit);
}

double DeviceModel::power(double seconds) const {
  if (const auto watts = given("power_watts", seconds)) return std::max(0.0, *watts);
  const double limit = power_limit(seconds);
  const double jitter = 0.006 * limit * normal(noise_key("power_watts"), seconds);
  return std::max(0.0, limit * (kIdleShare + kWorkShare * load(seconds) / 100) + jitter);
}

// The mean over the last 40 s: heat lags behind power. Before its start the scenario stood as at its start.
double DeviceModel::recent_power(double seconds) const {
  constexpr int kSamples = 20;
  constexpr double kApart = 2;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) sum += power(std::max(0.0, seconds - i * kApart));
  return sum / kSamples;
}

DeviceModel::Instant DeviceModel::instant(double seconds) const {
  Instant now;
  now.seconds = seconds;
  now.load = load(seconds);
  now.limit = power_limit(seconds);
  now.watts = power(seconds);
  now.slowdown = given_or("temperature_slowdown_celsius", seconds, kSlowdown);
  if (const auto celsius = given("temperature_celsius", seconds)) {
    now.celsius = *celsius;
  } else {
    now.celsius = kAmbient + (now.limit > 0 ? kWarming * std::min(2.0, recent_power(seconds) / now.limit) : 0);
  }
  return now;
}

DeviceModel::Sums DeviceModel::sums(double seconds) const {
  const auto add = [this](Sums& sums, double at, double length) {
    const double watts = power(at);
    sums.joules += watts * length;
    if (reaches_limit(watts, power_limit(at))) sums.power_throttled += length;
    if (may_overheat_ && instant(at).too_hot()) sums.heat_throttled += length;
  };
  const auto whole = static_cast<std::uint64_t>(seconds);
  Sums result;
  {
    std::scoped_lock lock(mutex_);
    if (whole < sums_until_) {
      sums_until_ = 0;
      sums_ = {};
    }
    for (; sums_until_ < whole; ++sums_until_) add(sums_, static_cast<double>(sums_until_), 1);
    result = sums_;
  }
  const auto start = static_cast<double>(whole);
  add(result, start, seconds - start);
  return result;
}

void DeviceModel::fill_common(Reading& r, const Instant& now) const {
  const Board board = board_of(spec_.device.vendor);
  r.temperature = Celsius(now.celsius);
  r.temperature_slowdown = Celsius(now.slowdown);
  r.temperature_shutdown = Celsius(now.slowdown + 5);
  const double fan = std::clamp(30 + 1.5 * (now.celsius - 45), 30.0, 100.0);
  r.fan = Percent(fan);
  r.fan_speed = Rpm(static_cast<std::uint32_t>(board.fan_rpm_max * given_or("fan_percent", now.seconds, fan) / 100));
  r.utilization = Percent(now.load);
  r.power = Watts(now.watts);
  r.power_limit = r.power_limit_default = r.power_limit_max = Watts(now.limit);

  const double clock_max = given_or("clock_graphics_max_mhz", now.seconds, board.clock_max);
  const double brake = now.too_hot() ? 0.6 : reaches_limit(now.watts, now.limit) ? 0.93 : 1.0;
  const double clock = now.load > 0 ? clock_max * brake * (0.7 + 0.3 * std::min(1.0, now.load / 30)) : board.clock_idle;
  r.clock_graphics_max = Megahertz(clock_max);
  r.clock_graphics = Megahertz(std::round(std::min(clock, clock_max)));
  r.clock_memory = r.clock_memory_max = Megahertz(given_or("clock_memory_max_mhz", now.seconds, board.clock_memory));

  const bool nvidia = spec_.device.vendor == Vendor::nvidia;
  ThrottleReasons reasons;
  if (now.too_hot()) reasons.add(nvidia ? Throttle::hardware_thermal : Throttle::thermal);
  if (reaches_limit(now.watts, now.limit)) reasons.add(nvidia ? Throttle::software_power_cap : Throttle::power);
  if (nvidia && now.load <= 0) reasons.add(Throttle::idle);
  r.throttle_reasons = reasons;

  r.pcie_generation = r.pcie_generation_max = Count(4);
  r.pcie_width = r.pcie_width_max = Count(16);
  r.runtime_power_state = "active";
}

void DeviceModel::fill_nvidia(Reading& r, const Instant& now) const {
  fill_common(r, now);
  r.temperature_memory = Celsius(now.celsius + 6);
  r.temperature_max_operating = Celsius(now.slowdown - 5);
  if (physical_.partitions.empty()) {
    r.utilization_memory = Percent(0.45 * now.load);
    r.utilization_encoder = r.utilization_decoder = r.utilization_jpeg = r.utilization_ofa = Percent(0);
  } else {
    r.utilization = missing(Missing::not_supported);  // as NVML: no utilization of a device in MIG mode
  }
  if (gives("memory_total_bytes")) r.memory_reserved = kReserved;
  r.memory_bar1_total = 256_MiB;
  r.memory_bar1_used = 5_MiB;
  r.power_instant = Watts(now.watts);
  r.power_limit_min = Watts(std::round(now.limit / 3));
  const Sums sum = sums(now.seconds);
  const auto nanoseconds = [](double seconds) { return std::chrono::nanoseconds(std::llround(seconds * 1e9)); };
  r.energy = Joules(sum.joules);
  r.throttle_power_time = nanoseconds(sum.power_throttled);
  r.throttle_thermal_time = nanoseconds(sum.heat_throttled);
  r.clock_sm = Megahertz(given_or("clock_graphics_mhz", now.seconds, r.clock_graphics->value()));
  r.clock_sm_max = r.clock_graphics_max;
  r.clock_video_max = Megahertz(std::round(0.85 * r.clock_graphics_max->value()));
  r.clock_video = Megahertz(std::round(0.85 * r.clock_sm->value()));
  r.performance_state = now.load > 0 ? "P0" : "P8";
  r.pcie_rx = BytesPerSecond(4e6 + 9e6 * now.load);
  r.pcie_tx = BytesPerSecond(1e6 + 3e6 * now.load);
  r.pcie_replays = Count(0);
  r.ecc_enabled = true;
  if (given_or("ecc_enabled", now.seconds, gives("ecc_enabled") ? 0 : 1) != 0) {  // else it counts nothing
    r.ecc_corrected_volatile = r.ecc_uncorrected_volatile = Count(0);
    r.ecc_corrected_aggregate = r.ecc_uncorrected_aggregate = Count(0);
    r.remapped_rows_corrected = r.remapped_rows_uncorrected = Count(0);
    r.remapped_rows_pending = r.remapped_rows_failed = false;
  }
  r.compute_mode = "default";
  r.persistence_mode = true;
  r.mig_mode = !physical_.partitions.empty();
}

void DeviceModel::fill_amd(Reading& r, const Instant& now) const {
  fill_common(r, now);
  r.temperature_hotspot = Celsius(now.celsius + 6 + 0.12 * now.load);
  r.temperature_memory = Celsius(now.celsius + 8);
  r.utilization_memory = Percent(0.5 * now.load);
  r.memory_gtt_total = 16_GiB;
  r.memory_gtt_used = 24_MiB;
  if (const auto total = given("memory_total_bytes", now.seconds)) {
    r.memory_bar1_total = Bytes(static_cast<std::uint64_t>(*total));
    r.memory_bar1_used = r.memory_used;
  }
  r.memory_unified = false;
  r.power_limit_min = Watts(0);
  r.performance_state = "auto";
}

void DeviceModel::fill_intel(Reading& r, const Instant& now) const {
  fill_common(r, now);
  r.temperature_memory = Celsius(now.celsius + 4);
  r.fan = missing(Missing::not_supported);  // xe and i915 tell the fan's speed alone
  r.utilization_render = Percent(now.load);
  r.utilization_compute = Percent(0.6 * now.load);
  r.utilization_copy = Percent(0.1 * now.load);
  r.utilization_video = r.utilization_video_enhance = Percent(0);
  r.memory_unified = false;
  r.power_limit_default = missing(Missing::not_supported);
  r.energy = Joules(sums(now.seconds).joules);
}

Reading DeviceModel::read(double seconds) const {
  Reading r{Missing::not_supported};
  if (const auto bytes = memory_in_use(seconds))
    r.memory_used = Bytes(static_cast<std::uint64_t>(std::llround(*bytes)));
  if (partition_) {
    // A partition has its memory, and on AMD its share of the engines; sensors belong to the board.
    if (spec_.device.vendor == Vendor::amd) r.utilization = Percent(load(seconds));
  } else {
    switch (spec_.device.vendor) {
      case Vendor::nvidia: fill_nvidia(r, instant(seconds)); break;
      case Vendor::amd: fill_amd(r, instant(seconds)); break;
      case Vendor::intel: fill_intel(r, instant(seconds)); break;
      case Vendor::other:
        r.temperature = Celsius(instant(seconds).celsius);
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
