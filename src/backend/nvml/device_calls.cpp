#include <algorithm>
#include <string>

#include "backend/nvml/conversions.hpp"
#include "backend/nvml/device_table.hpp"

namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

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
  metric = ecc_count(call.v.reading, code, value);
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

std::span<const DeviceReader::Row> DeviceReader::rows() {
  return kTable;
}

}  // namespace gpukeeper::nvml
