#include "backend/nvml/device_reader.hpp"

#include <algorithm>
#include <limits>

#include "backend/nvml/codes.hpp"
#include "core/text.hpp"

namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

using Values = DeviceReader::Values;

constexpr int kUnknownUntilLost = 3;
constexpr auto kPermissionRetry = 60s;
constexpr double kBurst = 1.5;          // seconds' worth of room that may gather
constexpr double kLongestStretch = 12;  // periods that a call waits for room at most: then it is made, one a reading
constexpr double kDebtPayment = 1.0;    // calls a second
constexpr std::uint64_t kMostCelsius = 200;  // above it a sensor's answer is garbage (monitoring research 3c)
constexpr std::uint64_t kMostMilliwatts = 100'000'000;

// Drivers label some fields with the wrong type: a 545-era one calls the memory temperature a double. A whole number
// read as a double is a denormal, so a label that cannot be true is seen.
std::uint64_t whole(const FieldValue& field) {
  switch (field.type) {
    case ValueType::uint: return field.value.as_uint;
    case ValueType::sint: return static_cast<std::uint64_t>(std::max(0, field.value.as_int));
    case ValueType::ushort: return field.value.as_ushort;
    case ValueType::long_long: return static_cast<std::uint64_t>(std::max<std::int64_t>(0, field.value.as_i64));
    case ValueType::real:
      if (field.value.as_double >= 1 && field.value.as_double < 1e19) {
        return static_cast<std::uint64_t>(field.value.as_double);
      }
      return field.value.as_u64;
    case ValueType::ulong:
    case ValueType::ulong_long: break;
  }
  return field.value.as_u64;
}

unsigned bits(const FieldValue& field) {
  return field.type == ValueType::uint ? 32 : 64;
}

template <class T>
Metric<T> absent(Code code) {
  return missing(missing_from(code));
}

Metric<Celsius> celsius(Code code, std::uint64_t value) {
  if (code != kSuccess) return absent<Celsius>(code);
  if (value > kMostCelsius) return missing(Missing::failed);
  return Celsius(static_cast<double>(value));
}

// Fans may be said to run above their nominal speed (nvml.h, nvmlDeviceGetFanSpeed), and utilization overshoots.
Metric<Percent> percent(Code code, unsigned value) {
  if (code != kSuccess) return absent<Percent>(code);
  if (value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return Percent(std::min(100.0, static_cast<double>(value)));
}

Metric<Watts> watts(Code code, std::uint64_t milliwatts) {
  if (code != kSuccess) return absent<Watts>(code);
  if (milliwatts > kMostMilliwatts) return missing(Missing::failed);
  return from_milliwatts(milliwatts);
}

Metric<Megahertz> megahertz(Code code, unsigned value) {
  if (code != kSuccess) return absent<Megahertz>(code);
  if (value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return Megahertz(value);
}

Metric<Count> count(Code code, std::uint64_t value) {
  if (code != kSuccess) return absent<Count>(code);
  return Count(value);
}

Metric<Count> count32(Code code, unsigned value) {
  if (code == kSuccess && value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return count(code, value);
}

Metric<bool> yes(Code code, std::uint64_t value) {
  if (code != kSuccess) return absent<bool>(code);
  return value != 0;
}

Metric<std::uint64_t> number(const FieldValue& field) {
  if (field.code != kSuccess) return absent<std::uint64_t>(field.code);
  return whole(field);
}

// Error counts are undefined while ECC is off (monitoring research 3c).
Metric<Count> ecc_count(const Values& v, Code code, std::uint64_t value) {
  if (v.reading.ecc_enabled && !*v.reading.ecc_enabled) return missing(Missing::not_supported);
  return count(code, value);
}

ThrottleReasons reasons_from(unsigned long long bits) {
  // nvml.h, nvmlClocksEventReason…
  constexpr std::pair<unsigned long long, Throttle> kBits[] = {
      {0x001, Throttle::idle},
      {0x002, Throttle::application_clocks},
      {0x004, Throttle::software_power_cap},
      {0x008, Throttle::hardware_slowdown},
      {0x010, Throttle::sync_boost},
      {0x020, Throttle::software_thermal},
      {0x040, Throttle::hardware_thermal},
      {0x080, Throttle::hardware_power_brake},
      {0x100, Throttle::display_clocks},
  };
  ThrottleReasons reasons;
  for (const auto& [bit, reason] : kBits) {
    if (bits & bit) reasons.add(reason);
    bits &= ~bit;
  }
  if (bits != 0) reasons.add(Throttle::other);
  return reasons;
}

// Position of each row in the table below.
enum RowIndex : std::size_t {
  kQuick,
  kTemperature,
  kUtilization,
  kMemory,
  kPowerUsage,
  kReasons,
  kClockGraphicsRow,
  kClockMemoryRow,
  kFan,
  kPerformanceState,
  kEncoder,
  kDecoder,
  kMargin,
  kClockSmRow,
  kClockVideoRow,
  kPcieGeneration,
  kPcieWidth,
  kSlow,
  kFanRpm,
  kBar1,
  kJpeg,
  kOfa,
  kPersistence,
  kComputeMode,
  kEnergyCall,
  kEnforcedLimit,
  kDefaultLimit,
  kLimitRange,
  kReplays,
  kEccMode,
  kEccCorrectedVolatileCall,
  kEccUncorrectedVolatileCall,
  kEccCorrectedAggregateCall,
  kEccUncorrectedAggregateCall,
  kRetiredCorrectedCall,
  kRetiredUncorrectedCall,
  kRetiredPendingCall,
  kRemappedCall,
  kNvlinkStates,
  kRows,
  kNoRow = kRows,
};

}  // namespace

/// A field of a batch: what it is, where its value goes, and which call stands in where the driver lacks the field.
struct DeviceReader::Field {
  std::uint32_t id;
  std::uint32_t scope;
  void (*take)(Values& v, const FieldValue& field);
  std::size_t instead = kNoRow;
};

namespace {

using Field = DeviceReader::Field;

constexpr std::uint32_t kGpuScope = 0;

constexpr Field kQuickFields[] = {
    {field::kPowerAverage, kGpuScope, [](Values& v, const FieldValue& f) { v.reading.power = watts(f.code, whole(f)); },
     kPowerUsage},
    {field::kPowerInstant, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.power_instant = watts(f.code, whole(f)); }},
    {field::kPowerLimitCurrent, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.power_limit = watts(f.code, whole(f)); }, kEnforcedLimit},
    {field::kEnergy, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.energy = number(f).map([](std::uint64_t mj) { return from_millijoules(mj); });
     },
     kEnergyCall},
    // Always the unsigned half: the type's label is not to be trusted here.
    {field::kMemoryTemperature, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.temperature_memory = celsius(f.code, f.value.as_uint); }},
    {field::kThrottlePower, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.throttle_power_time = number(f).map([](std::uint64_t ns) { return std::chrono::nanoseconds(ns); });
     }},
    {field::kThrottleThermal, kGpuScope, [](Values& v, const FieldValue& f) { v.thermal_policy = number(f); }},
    {field::kThrottleSoftwareThermal, kGpuScope,
     [](Values& v, const FieldValue& f) { v.thermal_software = number(f); }},
    {field::kThrottleHardwareThermal, kGpuScope,
     [](Values& v, const FieldValue& f) { v.thermal_hardware = number(f); }},
    {field::kPcieReceived, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.pcie_rx = f.code == kSuccess ? v.pcie_rx.update(whole(f), bits(f), v.pcie_bytes_per_second, v.now)
                                              : absent<BytesPerSecond>(f.code);
     }},
    {field::kPcieTransmitted, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.pcie_tx = f.code == kSuccess ? v.pcie_tx.update(whole(f), bits(f), v.pcie_bytes_per_second, v.now)
                                              : absent<BytesPerSecond>(f.code);
     }},
    {field::kPcieReplays, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.pcie_replays = count(f.code, whole(f)); }, kReplays},
};

// KiB over all links; up to NVLink 4.
constexpr Field kNvlinkFields[] = {
    {field::kNvlinkReceived, field::kAllLinks,
     [](Values& v, const FieldValue& f) {
       v.nvlink_total_seen |= f.code == kSuccess;
       v.reading.interconnect_rx =
           f.code == kSuccess ? v.nvlink_rx.update(whole(f) << 10, 64, 0, v.now) : absent<BytesPerSecond>(f.code);
     }},
    {field::kNvlinkTransmitted, field::kAllLinks,
     [](Values& v, const FieldValue& f) {
       v.nvlink_total_seen |= f.code == kSuccess;
       v.reading.interconnect_tx =
           f.code == kSuccess ? v.nvlink_tx.update(whole(f) << 10, 64, 0, v.now) : absent<BytesPerSecond>(f.code);
     }},
};

void add_link(DeviceReader::LinkSum& sum, const FieldValue& f) {
  if (f.code != kSuccess) {
    sum.failure = f.code;
    return;
  }
  sum.bytes += whole(f);
  ++sum.links;
}

// The rate over all links, once the batch is complete. Where a link does not answer, or does again, the sum jumps by
// all that it has ever carried: then it counts anew.
void take_links(DeviceReader::LinkSum& sum, CounterRate& rate, MonotonicTime now, Metric<BytesPerSecond>& metric) {
  if (sum.links == 0 && sum.failure == kSuccess) return;  // not asked for
  if (sum.links != sum.links_before) rate = CounterRate(true);
  sum.links_before = sum.links;
  metric = sum.links == 0 ? absent<BytesPerSecond>(sum.failure) : rate.update(sum.bytes, 64, 0, now);
}

// Bytes of one link; NVLink 5. Summed, and turned into a rate when the batch is complete.
constexpr Field kNvlink5Fields[] = {
    {field::kNvlink5Received, kGpuScope, [](Values& v, const FieldValue& f) { add_link(v.nvlink5_rx, f); }},
    {field::kNvlink5Transmitted, kGpuScope, [](Values& v, const FieldValue& f) { add_link(v.nvlink5_tx, f); }},
};

// A margin's threshold on the scale of T.Limit: degrees left when it is reached, so it may be negative. The metric
// table has no row for it. The names fit in a std::string without memory of their own.
void take_tlimit(Values& v, const FieldValue& f, const char* name) {
  auto& sensors = v.reading.sensors;
  const auto known = std::find_if(sensors.begin(), sensors.end(), [&](const Sensor& s) { return s.name == name; });
  if (f.code != kSuccess || f.value.as_int < -200 || f.value.as_int > 200) {
    if (known != sensors.end()) sensors.erase(known);
    return;
  }
  if (known != sensors.end()) {
    known->value = f.value.as_int;
  } else {
    sensors.push_back({name, "celsius", static_cast<double>(f.value.as_int)});
  }
}

constexpr Field kSlowFields[] = {
    {field::kEccCurrent, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_enabled = yes(f.code, whole(f)); }, kEccMode},
    {field::kEccCorrectedVolatile, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_corrected_volatile = ecc_count(v, f.code, whole(f)); },
     kEccCorrectedVolatileCall},
    {field::kEccUncorrectedVolatile, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_uncorrected_volatile = ecc_count(v, f.code, whole(f)); },
     kEccUncorrectedVolatileCall},
    {field::kEccCorrectedAggregate, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_corrected_aggregate = ecc_count(v, f.code, whole(f)); },
     kEccCorrectedAggregateCall},
    {field::kEccUncorrectedAggregate, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_uncorrected_aggregate = ecc_count(v, f.code, whole(f)); },
     kEccUncorrectedAggregateCall},
    {field::kRetiredCorrected, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.retired_pages_corrected = count(f.code, whole(f)); },
     kRetiredCorrectedCall},
    {field::kRetiredUncorrected, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.retired_pages_uncorrected = count(f.code, whole(f)); },
     kRetiredUncorrectedCall},
    {field::kRetiredPending, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.retired_pages_pending = yes(f.code, whole(f)); },
     kRetiredPendingCall},
    {field::kRemappedCorrected, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.remapped_rows_corrected = count(f.code, whole(f)); },
     kRemappedCall},
    {field::kRemappedUncorrected, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.remapped_rows_uncorrected = count(f.code, whole(f)); },
     kRemappedCall},
    {field::kRemappedPending, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.remapped_rows_pending = yes(f.code, whole(f)); }, kRemappedCall},
    {field::kRemappedFailed, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.remapped_rows_failed = yes(f.code, whole(f)); }, kRemappedCall},
    {field::kPowerLimitDefault, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.power_limit_default = watts(f.code, whole(f)); }, kDefaultLimit},
    {field::kPowerLimitMin, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.power_limit_min = watts(f.code, whole(f)); }, kLimitRange},
    {field::kPowerLimitMax, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.power_limit_max = watts(f.code, whole(f)); }, kLimitRange},
    {field::kTlimitShutdown, kGpuScope, [](Values& v, const FieldValue& f) { take_tlimit(v, f, "tlimit_shutdown"); }},
    {field::kTlimitSlowdown, kGpuScope, [](Values& v, const FieldValue& f) { take_tlimit(v, f, "tlimit_slowdown"); }},
    {field::kTlimitMemory, kGpuScope, [](Values& v, const FieldValue& f) { take_tlimit(v, f, "tlimit_memory"); }},
    {field::kTlimitMax, kGpuScope, [](Values& v, const FieldValue& f) { take_tlimit(v, f, "tlimit_max"); }},
};

constexpr Field kNvlinkStateField = {field::kNvlinkState, kGpuScope,
                                     [](Values& v, const FieldValue& f) {
                                       if (f.code != kSuccess) return;
                                       v.links_seen = true;
                                       if (whole(f) == 1) ++v.links_active;
                                     },
                                     kNvlinkStates};

}  // namespace

/// One call, as the rows of the table make it.
struct Calls {
  DeviceReader& reader;
  Session& session;
  const Library& library;
  DeviceReader::Values& v;
  Handle handle;

  template <class... Params, class... Args>
  Code operator()(Code (*function)(Params...), Args... args) const {
    return reader.call(session, function, args...);
  }
  Code quick() const { return reader.read_batch(session, reader.quick_); }
  Code slow() const {
    v.links_active = 0;
    v.links_seen = false;
    const Code code = reader.read_batch(session, reader.slow_);
    if (v.links_seen) v.reading.interconnect_links_active = Count(v.links_active);
    return code;
  }
  Code memory() const { return reader.read_memory(session); }
  bool& temperature_versioned() const { return reader.temperature_versioned_; }
  unsigned nvlinks() const { return reader.attached_.nvlinks; }
};

/// One kind of call: how often it is made, and where its value goes.
struct DeviceReader::Row {
  std::string_view function;
  std::chrono::milliseconds period;  ///< 0: with every reading
  bool stands_in;                    ///< made only where the driver lacks a field
  Code (*read)(const Calls& call);
};

namespace {

Code read_clock(const Calls& call, unsigned type, Metric<Megahertz>& metric) {
  unsigned value = 0;
  const Code code = call(call.library.clock, call.handle, type, &value);
  metric = megahertz(code, value);
  return code;
}

// An engine's second answer is the sampling period: 0 means that there was no sample (monitoring research 3c).
template <class F>
Code read_engine(const Calls& call, F function, Metric<Percent>& metric) {
  unsigned value = 0;
  unsigned period = 0;
  const Code code = call(function, call.handle, &value, &period);
  metric = code == kSuccess && value == 0 && period == 0 ? Metric<Percent>(missing(Missing::not_yet_read))
                                                         : percent(code, value);
  return code;
}

template <class F>
Code read_count(const Calls& call, F function, Metric<Count>& metric) {
  unsigned value = 0;
  const Code code = call(function, call.handle, &value);
  metric = count32(code, value);
  return code;
}

Code read_ecc(const Calls& call, unsigned errors, unsigned counter, Metric<Count>& metric) {
  unsigned long long value = 0;
  const Code code = call(call.library.ecc_errors, call.handle, errors, counter, &value);
  metric = ecc_count(call.v, code, value);
  return code;
}

// Only the number of pages is asked for: a null list of length 0 is answered with it (nvml.h,
// nvmlDeviceGetRetiredPages).
Code read_retired(const Calls& call, unsigned cause, Metric<Count>& metric) {
  unsigned pages = 0;
  const Code code =
      call(call.library.retired_pages, call.handle, cause, &pages, static_cast<unsigned long long*>(nullptr));
  const Code said = code == kInsufficientSize ? kSuccess : code;
  metric = count(said, pages);
  return said;
}

Code read_temperature(const Calls& call) {
  if (call.temperature_versioned()) {
    Temperature answer{version_word<Temperature>(1), 0, 0};
    const Code code = call(call.library.temperature_versioned, call.handle, &answer);
    if (!never_there(code)) {
      call.v.reading.temperature = celsius(code, static_cast<std::uint64_t>(std::max(0, answer.celsius)));
      return code;
    }
    call.temperature_versioned() = false;
  }
  unsigned value = 0;
  const Code code = call(call.library.temperature, call.handle, 0u, &value);
  call.v.reading.temperature = celsius(code, value);
  return code;
}

std::string_view compute_mode_word(unsigned mode) {
  switch (mode) {
    case 0: return "default";
    case 1: return "exclusive_thread";
    case 2: return "prohibited";
    case 3: return "exclusive_process";
    default: return "";
  }
}

// In the order of RowIndex, which is also the order in which equally overdue ones are called.
constexpr DeviceReader::Row kTable[] = {
    {"nvmlDeviceGetFieldValues", 0ms, false, [](const Calls& call) { return call.quick(); }},
    {"nvmlDeviceGetTemperature", 0ms, false, read_temperature},
    {"nvmlDeviceGetUtilizationRates", 0ms, false,
     [](const Calls& call) {
       Utilization value{};
       const Code code = call(call.library.utilization, call.handle, &value);
       call.v.reading.utilization = percent(code, value.gpu);
       call.v.reading.utilization_memory = percent(code, value.memory);
       return code;
     }},
    {"nvmlDeviceGetMemoryInfo", 0ms, false, [](const Calls& call) { return call.memory(); }},
    // Where there is no averaged value this is the only or the instantaneous one (monitoring research 3c).
    {"nvmlDeviceGetPowerUsage", 0ms, true,
     [](const Calls& call) {
       if (call.v.reading.power_instant) {
         call.v.reading.power = call.v.reading.power_instant;
         return kSuccess;
       }
       unsigned value = 0;
       const Code code = call(call.library.power_usage, call.handle, &value);
       call.v.reading.power = watts(code, value);
       return code;
     }},
    {"nvmlDeviceGetCurrentClocksEventReasons", 1000ms, false,
     [](const Calls& call) {
       unsigned long long reasons = 0;
       const Code code = call(call.library.clock_event_reasons, call.handle, &reasons);
       call.v.reading.throttle_reasons =
           code == kSuccess ? Metric<ThrottleReasons>(reasons_from(reasons)) : absent<ThrottleReasons>(code);
       return code;
     }},
    {"nvmlDeviceGetClockInfo", 1000ms, false,
     [](const Calls& call) { return read_clock(call, kClockGraphics, call.v.reading.clock_graphics); }},
    {"nvmlDeviceGetClockInfo", 5000ms, false,
     [](const Calls& call) { return read_clock(call, kClockMemory, call.v.reading.clock_memory); }},
    {"nvmlDeviceGetFanSpeed", 5000ms, false,
     [](const Calls& call) {
       unsigned value = 0;
       const Code code = call(call.library.fan_speed, call.handle, &value);
       call.v.reading.fan = percent(code, value);
       return code;
     }},
    {"nvmlDeviceGetPerformanceState", 5000ms, false,
     [](const Calls& call) {
       unsigned state = kPerformanceStateUnknown;
       const Code code = call(call.library.performance_state, call.handle, &state);
       auto& metric = call.v.reading.performance_state;
       if (code != kSuccess) {
         metric = absent<std::string>(code);
       } else if (state > 15) {
         metric = missing(Missing::not_supported);
       } else {
         metric = "P" + std::to_string(state);
       }
       return code;
     }},
    {"nvmlDeviceGetEncoderUtilization", 5000ms, false,
     [](const Calls& call) { return read_engine(call, call.library.encoder, call.v.reading.utilization_encoder); }},
    {"nvmlDeviceGetDecoderUtilization", 5000ms, false,
     [](const Calls& call) { return read_engine(call, call.library.decoder, call.v.reading.utilization_decoder); }},
    // Only where there is no slowdown temperature to take the difference to (Hopper and later).
    {"nvmlDeviceGetMarginTemperature", 5000ms, false,
     [](const Calls& call) {
       if (call.v.reading.temperature_slowdown) return kNotSupported;
       MarginTemperature answer{version_word<MarginTemperature>(1), 0};
       const Code code = call(call.library.margin_temperature, call.handle, &answer);
       call.v.reading.temperature_margin =
           code == kSuccess ? Metric<Celsius>(Celsius(answer.celsius)) : absent<Celsius>(code);
       return code;
     }},
    {"nvmlDeviceGetClockInfo", 10000ms, false,
     [](const Calls& call) { return read_clock(call, kClockSm, call.v.reading.clock_sm); }},
    {"nvmlDeviceGetClockInfo", 10000ms, false,
     [](const Calls& call) { return read_clock(call, kClockVideo, call.v.reading.clock_video); }},
    {"nvmlDeviceGetCurrPcieLinkGeneration", 10000ms, false,
     [](const Calls& call) { return read_count(call, call.library.pcie_generation, call.v.reading.pcie_generation); }},
    {"nvmlDeviceGetCurrPcieLinkWidth", 10000ms, false,
     [](const Calls& call) { return read_count(call, call.library.pcie_width, call.v.reading.pcie_width); }},
    {"nvmlDeviceGetFieldValues", 10000ms, false, [](const Calls& call) { return call.slow(); }},
    {"nvmlDeviceGetFanSpeedRPM", 10000ms, false,
     [](const Calls& call) {
       FanSpeed answer{version_word<FanSpeed>(1), 0, 0};
       const Code code = call(call.library.fan_rpm, call.handle, &answer);
       call.v.reading.fan_speed = code == kSuccess ? Metric<Rpm>(Rpm(answer.rpm)) : absent<Rpm>(code);
       return code;
     }},
    {"nvmlDeviceGetBAR1MemoryInfo", 10000ms, false,
     [](const Calls& call) {
       Bar1Memory answer{};
       const Code code = call(call.library.bar1, call.handle, &answer);
       const bool sane = code == kSuccess && answer.used <= answer.total;
       call.v.reading.memory_bar1_used = sane ? Metric<Bytes>(Bytes(answer.used)) : absent<Bytes>(code);
       call.v.reading.memory_bar1_total = code == kSuccess ? Metric<Bytes>(Bytes(answer.total)) : absent<Bytes>(code);
       return code;
     }},
    {"nvmlDeviceGetJpgUtilization", 10000ms, false,
     [](const Calls& call) { return read_engine(call, call.library.jpeg, call.v.reading.utilization_jpeg); }},
    {"nvmlDeviceGetOfaUtilization", 10000ms, false,
     [](const Calls& call) { return read_engine(call, call.library.ofa, call.v.reading.utilization_ofa); }},
    {"nvmlDeviceGetPersistenceMode", 30000ms, false,
     [](const Calls& call) {
       unsigned mode = 0;
       const Code code = call(call.library.persistence_mode, call.handle, &mode);
       call.v.reading.persistence_mode = yes(code, mode);
       return code;
     }},
    {"nvmlDeviceGetComputeMode", 30000ms, false,
     [](const Calls& call) {
       unsigned mode = 0;
       const Code code = call(call.library.compute_mode, call.handle, &mode);
       auto& metric = call.v.reading.compute_mode;
       if (code != kSuccess) {
         metric = absent<std::string>(code);
       } else if (const auto word = compute_mode_word(mode); !word.empty()) {
         metric = std::string(word);
       } else {
         metric = missing(Missing::failed);
       }
       return code;
     }},
    {"nvmlDeviceGetTotalEnergyConsumption", 2000ms, true,
     [](const Calls& call) {
       unsigned long long value = 0;
       const Code code = call(call.library.energy, call.handle, &value);
       call.v.reading.energy = code == kSuccess ? Metric<Joules>(from_millijoules(value)) : absent<Joules>(code);
       return code;
     }},
    {"nvmlDeviceGetEnforcedPowerLimit", 10000ms, true,
     [](const Calls& call) {
       unsigned value = 0;
       const Code code = call(call.library.enforced_power_limit, call.handle, &value);
       call.v.reading.power_limit = watts(code, value);
       return code;
     }},
    {"nvmlDeviceGetPowerManagementDefaultLimit", 60000ms, true,
     [](const Calls& call) {
       unsigned value = 0;
       const Code code = call(call.library.default_power_limit, call.handle, &value);
       call.v.reading.power_limit_default = watts(code, value);
       return code;
     }},
    {"nvmlDeviceGetPowerManagementLimitConstraints", 60000ms, true,
     [](const Calls& call) {
       unsigned least = 0;
       unsigned most = 0;
       const Code code = call(call.library.power_limit_range, call.handle, &least, &most);
       call.v.reading.power_limit_min = watts(code, least);
       call.v.reading.power_limit_max = watts(code, most);
       return code;
     }},
    {"nvmlDeviceGetPcieReplayCounter", 10000ms, true,
     [](const Calls& call) { return read_count(call, call.library.pcie_replays, call.v.reading.pcie_replays); }},
    {"nvmlDeviceGetEccMode", 30000ms, true,
     [](const Calls& call) {
       unsigned current = 0;
       unsigned pending = 0;
       const Code code = call(call.library.ecc_mode, call.handle, &current, &pending);
       call.v.reading.ecc_enabled = yes(code, current);
       return code;
     }},
    {"nvmlDeviceGetTotalEccErrors", 30000ms, true,
     [](const Calls& call) {
       return read_ecc(call, kErrorsCorrected, kCountVolatile, call.v.reading.ecc_corrected_volatile);
     }},
    {"nvmlDeviceGetTotalEccErrors", 30000ms, true,
     [](const Calls& call) {
       return read_ecc(call, kErrorsUncorrected, kCountVolatile, call.v.reading.ecc_uncorrected_volatile);
     }},
    {"nvmlDeviceGetTotalEccErrors", 30000ms, true,
     [](const Calls& call) {
       return read_ecc(call, kErrorsCorrected, kCountAggregate, call.v.reading.ecc_corrected_aggregate);
     }},
    {"nvmlDeviceGetTotalEccErrors", 30000ms, true,
     [](const Calls& call) {
       return read_ecc(call, kErrorsUncorrected, kCountAggregate, call.v.reading.ecc_uncorrected_aggregate);
     }},
    {"nvmlDeviceGetRetiredPages", 60000ms, true,
     [](const Calls& call) {
       return read_retired(call, abi::kRetiredCorrected, call.v.reading.retired_pages_corrected);
     }},
    {"nvmlDeviceGetRetiredPages", 60000ms, true,
     [](const Calls& call) {
       return read_retired(call, abi::kRetiredUncorrected, call.v.reading.retired_pages_uncorrected);
     }},
    {"nvmlDeviceGetRetiredPagesPendingStatus", 60000ms, true,
     [](const Calls& call) {
       unsigned pending = 0;
       const Code code = call(call.library.retired_pages_pending, call.handle, &pending);
       call.v.reading.retired_pages_pending = yes(code, pending);
       return code;
     }},
    {"nvmlDeviceGetRemappedRows", 60000ms, true,
     [](const Calls& call) {
       unsigned corrected = 0;
       unsigned uncorrected = 0;
       unsigned pending = 0;
       unsigned failed = 0;
       const Code code = call(call.library.remapped_rows, call.handle, &corrected, &uncorrected, &pending, &failed);
       call.v.reading.remapped_rows_corrected = count(code, corrected);
       call.v.reading.remapped_rows_uncorrected = count(code, uncorrected);
       call.v.reading.remapped_rows_pending = yes(code, pending);
       call.v.reading.remapped_rows_failed = yes(code, failed);
       return code;
     }},
    {"nvmlDeviceGetNvLinkState", 30000ms, true,
     [](const Calls& call) {
       unsigned active = 0;
       Code code = kSuccess;
       for (unsigned link = 0; link < call.nvlinks() && code == kSuccess; ++link) {
         unsigned state = 0;
         code = call(call.library.nvlink_state, call.handle, link, &state);
         if (code == kSuccess && state != 0) ++active;
       }
       call.v.reading.interconnect_links_active = count(code, active);
       return code;
     }},
};
static_assert(std::size(kTable) == kRows);

}  // namespace

void CallBudget::borrow(int calls) {
  std::scoped_lock lock(mutex_);
  debt_ += calls;
}

void CallBudget::begin(MonotonicTime now) {
  std::scoped_lock lock(mutex_);
  debt_ += std::max(0.0, spent_.exchange(0, std::memory_order_relaxed) - rate_);
  room_ = 0;
  at_ = now;
}

bool CallBudget::has_room(MonotonicTime now) {
  std::scoped_lock lock(mutex_);
  if (now > at_) {
    const double seconds = std::chrono::duration<double>(now - at_).count();
    at_ = now;
    const double payment = std::min(debt_, seconds * kDebtPayment);
    debt_ -= payment;
    room_ = std::min(room_ + seconds * rate_ - payment, rate_ * kBurst);
  }
  room_ -= spent_.exchange(0, std::memory_order_relaxed);
  return room_ >= 1;
}

DeviceReader::DeviceReader(const Files& files, Attached attached, double calls_per_second)
    : files_(files), attached_(std::move(attached)), budget_(calls_per_second) {
  static_assert(kRows <= std::tuple_size_v<decltype(turns_)>);
  values_.reading = attached_.constants;
  values_.pcie_bytes_per_second = attached_.pcie_bytes_per_second;
  values_.reading.xid_last = missing(attached_.xid);
  for (std::size_t i = 0; i < kRows; ++i) turns_[i].off = kTable[i].stands_in;
  const auto add = [](Batch& batch, const Field& field, std::uint32_t scope) {
    FieldValue value{};
    value.id = field.id;
    value.scope = scope;
    batch.values.push_back(value);
    batch.fields.push_back(&field);
  };
  for (const Field& field : kQuickFields) add(quick_, field, field.scope);
  for (const Field& field : kSlowFields) add(slow_, field, field.scope);
  if (attached_.nvlinks > 0) {
    for (const Field& field : kNvlinkFields) add(quick_, field, field.scope);
    for (unsigned link = 0; link < attached_.nvlinks; ++link) {
      for (const Field& field : kNvlink5Fields) add(quick_, field, link);
      add(slow_, kNvlinkStateField, link);
    }
  }
  if (attached_.nvlinks_known) {
    values_.reading.interconnect_links = Count(attached_.nvlinks);
    if (attached_.nvlinks == 0) values_.reading.interconnect_links_active = Count(0);
  }
}

template <class... Params, class... Args>
Code DeviceReader::call(Session& session, Code (*function)(Params...), Args... args) {
  if (!function) return kFunctionNotFound;
  budget_.spend(1);
  const Code code = session.call(function, args...);
  if (code == kSuccess) {
    ++succeeded_;
    unknown_in_a_row_ = 0;
  } else if (is_trouble(code)) {
    ++troubled_;
    last_trouble_ = code;
    unknown_in_a_row_ = code == kUnknown ? unknown_in_a_row_ + 1 : 0;
    if (ends_session(code) || loses_device(code) || unknown_in_a_row_ >= kUnknownUntilLost) ending_ = code;
  }
  return code;
}

Code DeviceReader::read_batch(Session& session, Batch& batch) {
  if (batch.values.empty()) return kNotSupported;
  for (FieldValue& value : batch.values) {
    value.code = kUnknown;
    value.value.as_u64 = 0;
  }
  for (LinkSum* sum : {&values_.nvlink5_rx, &values_.nvlink5_tx}) *sum = {.links_before = sum->links_before};
  values_.nvlink_total_seen = false;
  const Code code = call(session, session.library().field_values, attached_.handle,
                         static_cast<int>(batch.values.size()), batch.values.data());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < batch.values.size(); ++i) {
    FieldValue& value = batch.values[i];
    const Field& field = *batch.fields[i];
    if (code != kSuccess) value.code = code;
    // An old driver says "invalid argument" to a field that it does not know.
    else if (value.code == kInvalidArgument)
      value.code = kNotSupported;
    field.take(values_, value);
    // The links' own counters are asked only where there is no sum over them, which stands before them.
    if (values_.nvlink_total_seen && (field.id == field::kNvlink5Received || field.id == field::kNvlink5Transmitted)) {
      continue;
    }
    if (value.code != kSuccess && (ends_session(value.code) || loses_device(value.code))) ending_ = value.code;
    if (never_there(value.code)) {
      if (field.instead != kNoRow) turns_[field.instead].off = false;
      continue;
    }
    batch.values[kept] = value;
    batch.fields[kept++] = &field;
  }
  batch.values.resize(kept);
  batch.fields.resize(kept);

  Values& v = values_;
  if (!v.nvlink_total_seen) {
    take_links(v.nvlink5_rx, v.nvlink_rx, v.now, v.reading.interconnect_rx);
    take_links(v.nvlink5_tx, v.nvlink_tx, v.now, v.reading.interconnect_tx);
  }
  // Both brakes may be on at once, so their sum could count a moment twice: the longer time was certainly spent.
  const auto nanoseconds = [](std::uint64_t ns) { return std::chrono::nanoseconds(ns); };
  if (v.thermal_software && v.thermal_hardware) {
    v.reading.throttle_thermal_time = nanoseconds(std::max(*v.thermal_software, *v.thermal_hardware));
  } else {
    v.reading.throttle_thermal_time = (v.thermal_software   ? v.thermal_software
                                       : v.thermal_hardware ? v.thermal_hardware
                                                            : v.thermal_policy)
                                          .map(nanoseconds);
  }
  return code;
}

Code read_memory(Session& session, Handle handle, bool& memory2, Reading& reading, int& calls) {
  const Library& library = session.library();
  Memory2 answer{};
  Code code = kNotSupported;
  if (memory2 && library.memory2) {
    answer.version = version_word<Memory2>(2);
    ++calls;
    code = session.call(library.memory2, handle, &answer);
    reading.memory_reserved = code == kSuccess ? Metric<Bytes>(Bytes(answer.reserved)) : absent<Bytes>(code);
  }
  if (never_there(code) || code == kInvalidArgument) {
    Memory old{};
    if (library.memory) ++calls;
    const Code old_code = session.call(library.memory, handle, &old);
    // The second version is given up only once the first has proved to work.
    if (old_code == kSuccess) memory2 = false;
    if (old_code == kSuccess || !memory2 || !library.memory2) {
      code = old_code;
      reading.memory_reserved = missing(Missing::not_supported);
      answer = {0, old.total, 0, old.free, old.used};
    }
  }
  if (code != kSuccess) {
    reading.memory_total = reading.memory_used = reading.memory_free = absent<Bytes>(code);
    return code;
  }
  if (answer.used > answer.total || answer.free > answer.total) {
    reading.memory_total = Bytes(answer.total);
    reading.memory_used = reading.memory_free = missing(Missing::failed);
    return code;
  }
  reading.memory_total = Bytes(answer.total);
  reading.memory_used = Bytes(answer.used);
  reading.memory_free = Bytes(answer.free);
  return code;
}

Code DeviceReader::read_memory(Session& session) {
  Reading& reading = values_.reading;
  int calls = 0;
  const Code code = nvml::read_memory(session, attached_.handle, memory2_, reading, calls);
  budget_.spend(calls);
  if (code == kSuccess) ++succeeded_;
  if (is_trouble(code)) {
    ++troubled_;
    last_trouble_ = code;
    unknown_in_a_row_ = code == kUnknown ? unknown_in_a_row_ + 1 : 0;
    if (ends_session(code) || loses_device(code) || unknown_in_a_row_ >= kUnknownUntilLost) ending_ = code;
  } else {
    unknown_in_a_row_ = 0;
  }
  // GB10 and Jetson share the system's memory. Some of their drivers say so with a total of 0, others with "not
  // supported" (monitoring research 3c). A GPU split by MIG has memory of its own, whatever it answers.
  const bool none = code == kSuccess ? reading.memory_total->value() == 0 : code == kNotSupported;
  if (none && mig_mode.load(std::memory_order_relaxed) != 1) return use_system_memory();
  if (code == kSuccess) reading.memory_unified = false;
  return code;
}

Code DeviceReader::use_system_memory() {
  Reading& reading = values_.reading;
  reading.memory_reserved = missing(Missing::not_supported);
  reading.memory_total = reading.memory_used = reading.memory_free = missing(Missing::not_supported);
  const auto text = files_.read("/proc/meminfo");
  if (!text) {
    reading.memory_total = reading.memory_used = reading.memory_free =
        missing(gpukeeper::missing_from(text.error().code));
    return kSuccess;
  }
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> available;
  for (const auto line : lines(*text)) {
    const auto kib = [&](std::string_view key) -> std::optional<std::uint64_t> {
      if (!line.starts_with(key)) return std::nullopt;
      const auto value = leading_number(trim(line.substr(key.size())));
      return value && *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
    };
    if (!total) total = kib("MemTotal:");
    if (!available) available = kib("MemAvailable:");
    if (total && available) break;
  }
  if (!total || !available || *total == 0) return kSuccess;
  reading.memory_unified = true;
  reading.memory_total = from_kib(*total);
  reading.memory_free = from_kib(std::min(*total, *available));
  reading.memory_used = remaining(*reading.memory_total, *reading.memory_free);
  return kSuccess;
}

void DeviceReader::take_turn(Session& session, std::size_t index, MonotonicTime now) {
  Turn& turn = turns_[index];
  const int before = troubled_;
  const Code code = kTable[index].read({*this, session, session.library(), values_, attached_.handle});
  if (troubled_ > before) last_trouble_function_ = kTable[index].function;
  turn.last = now;
  turn.ever = true;
  turn.off = never_there(code);
  turn.slow_retry = code == kNoPermission;
}

DeviceReader::Outcome DeviceReader::read(Session& session, MonotonicTime now) {
  succeeded_ = troubled_ = 0;
  ending_ = last_trouble_ = kSuccess;
  values_.now = now;

  const auto due = [&](std::size_t i) {
    if (turns_[i].slow_retry) return now - turns_[i].last >= kPermissionRetry;
    return true;
  };
  for (std::size_t i = 0; i < kRows && ending_ == kSuccess; ++i) {
    if (kTable[i].period == 0ms && !turns_[i].off && due(i)) take_turn(session, i, now);
  }
  if (first_) {
    // Everything at once, so that the first reading is whole. In the table's order, and the slow batch before what may
    // have to stand in for its fields.
    for (std::size_t i = 0; i < kRows && ending_ == kSuccess; ++i) {
      if (!turns_[i].ever && !turns_[i].off) take_turn(session, i, now);
    }
  } else {
    bool room = true;
    while (ending_ == kSuccess && room) {
      room = budget_.has_room(now);
      std::size_t next = kNoRow;
      double most = room ? 0.95 : kLongestStretch;  // a tick that comes a little early still counts
      for (std::size_t i = 0; i < kRows; ++i) {
        const auto period = turns_[i].slow_retry ? std::chrono::milliseconds(kPermissionRetry) : kTable[i].period;
        if (turns_[i].off || kTable[i].period == 0ms) continue;
        const double overdue = turns_[i].ever ? std::chrono::duration<double>(now - turns_[i].last) / period
                                              : std::numeric_limits<double>::infinity();
        if (overdue > most) {
          most = overdue;
          next = i;
        }
      }
      if (next == kNoRow) break;
      take_turn(session, next, now);
    }
  }

  if (ending_ != kSuccess) return {ending_, last_trouble_function_, true};
  if (succeeded_ == 0 && troubled_ > 0) return {last_trouble_, last_trouble_function_};
  if (first_) {
    first_ = false;
    budget_.begin(now);
  }
  Reading& reading = values_.reading;
  if (const auto number = xid.load(std::memory_order_relaxed)) reading.xid_last = Count(number);
  const int mig = mig_mode.load(std::memory_order_relaxed);
  reading.mig_mode = mig >= 0 ? Metric<bool>(mig != 0) : missing(Missing::not_supported);
  return {};
}

}  // namespace gpukeeper::nvml
