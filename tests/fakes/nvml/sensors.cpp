// What a GPU measures: temperature, fans, clocks, power, utilization, memory, errors.
#include <algorithm>
#include <cstring>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

/// A number and the period that it was sampled over. MIG turns these off on the whole GPU.
Return engine(Symbol symbol, Device device, Uint* percent, Uint* period_us, Uint (*get)(const Gpu&)) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!percent || !period_us) return abi::kInvalidArgument;
  const Uint value = get(call.gpu());
  if (absent(value) || call.mig_on()) return abi::kNotSupported;
  *period_us = call.gpu().utilization_period_us;
  return call.put(percent, value);
}

template <std::size_t N>
Return clock(Symbol symbol, Device device, Uint type, Uint* mhz, const Uint (&(*get)(const Gpu&))[N]) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!mhz || type >= N) return abi::kInvalidArgument;
  const Uint value = get(call.gpu())[type];
  return absent(value) ? abi::kNotSupported : call.put(mhz, value);
}

Return fan(Symbol symbol, Device device, Uint index, Uint* out, const Uint (&(*get)(const Gpu&))[4]) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (call.gpu().fans == 0) return abi::kNotSupported;
  if (index >= call.gpu().fans) return abi::kInvalidArgument;
  return call.put(out, get(call.gpu())[index]);
}

/// Clocks a GPU can be set to, from the highest down, in steps of 15 MHz as the real ones.
Return clock_steps(const Call& call, Uint highest, Uint lowest, Uint* count, Uint* out) {
  constexpr Uint kStep = 15, kMost = 256;
  Uint steps[kMost];
  Uint n = 0;
  for (Uint mhz = highest; mhz >= lowest && n < kMost; mhz -= kStep) {
    steps[n++] = mhz;
    if (mhz < lowest + kStep) break;
  }
  return put_list(call, steps, n, count, out);
}

}  // namespace

NVML_API nvmlDeviceGetTemperature(Device device, Uint sensor, Uint* celsius) {
  const Call call(Symbol::nvmlDeviceGetTemperature, device);
  if (!call) return call.code();
  if (!celsius || sensor != 0) return abi::kInvalidArgument;
  return absent(call.gpu().temperature) ? abi::kNotSupported : call.put(celsius, call.gpu().temperature);
}
NVML_API nvmlDeviceGetTemperatureV(Device device, abi::Temperature* out) {
  const Call call(Symbol::nvmlDeviceGetTemperatureV, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  if (out->sensor != 0) return abi::kInvalidArgument;
  if (absent(call.gpu().temperature)) return abi::kNotSupported;
  return call.put(out, {out->version, out->sensor, static_cast<int>(call.gpu().temperature)});
}
NVML_API nvmlDeviceGetTemperatureThreshold(Device device, Uint type, Uint* celsius) {
  const Call call(Symbol::nvmlDeviceGetTemperatureThreshold, device);
  if (!call) return call.code();
  if (!celsius || type >= 8) return abi::kInvalidArgument;
  return absent(call.gpu().thresholds[type]) ? abi::kNotSupported : call.put(celsius, call.gpu().thresholds[type]);
}
NVML_API nvmlDeviceGetMarginTemperature(Device device, abi::MarginTemperature* out) {
  const Call call(Symbol::nvmlDeviceGetMarginTemperature, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  if (absent(call.gpu().margin_temperature)) return abi::kNotSupported;
  return call.put(out, {out->version, call.gpu().margin_temperature});
}
NVML_API nvmlDeviceGetThermalSettings(Device device, Uint sensor, abi::ThermalSettings* out) {
  const Call call(Symbol::nvmlDeviceGetThermalSettings, device);
  if (!call) return call.code();
  constexpr Uint kAllSensors = 15;
  if (!out || (sensor >= 3 && sensor != kAllSensors)) return abi::kInvalidArgument;
  if (absent(call.gpu().temperature)) return abi::kNotSupported;
  abi::ThermalSettings settings{};
  settings.count = 1;
  settings.sensor[0] = {1, 0, 127, static_cast<int>(call.gpu().temperature), 1};  // the GPU's own sensor, of the GPU
  return call.put(out, settings);
}

NVML_API nvmlDeviceGetNumFans(Device device, Uint* fans) {
  const Call call(Symbol::nvmlDeviceGetNumFans, device);
  return call ? call.put(fans, call.gpu().fans) : call.code();
}
NVML_API nvmlDeviceGetFanSpeed(Device device, Uint* percent) {
  return fan(Symbol::nvmlDeviceGetFanSpeed, device, 0, percent,
             [](const Gpu& gpu) -> const Uint(&)[4] { return gpu.fan_percent; });
}
NVML_API nvmlDeviceGetFanSpeed_v2(Device device, Uint index, Uint* percent) {
  return fan(Symbol::nvmlDeviceGetFanSpeed_v2, device, index, percent,
             [](const Gpu& gpu) -> const Uint(&)[4] { return gpu.fan_percent; });
}
NVML_API nvmlDeviceGetTargetFanSpeed(Device device, Uint index, Uint* percent) {
  return fan(Symbol::nvmlDeviceGetTargetFanSpeed, device, index, percent,
             [](const Gpu& gpu) -> const Uint(&)[4] { return gpu.fan_target; });
}
NVML_API nvmlDeviceGetFanSpeedRPM(Device device, abi::FanSpeedInfo* out) {
  const Call call(Symbol::nvmlDeviceGetFanSpeedRPM, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  if (call.gpu().fans == 0) return abi::kNotSupported;
  if (out->fan >= call.gpu().fans) return abi::kInvalidArgument;
  return call.put(out, {out->version, out->fan, call.gpu().fan_rpm[out->fan]});
}
NVML_API nvmlDeviceGetMinMaxFanSpeed(Device device, Uint* low, Uint* high) {
  const Call call(Symbol::nvmlDeviceGetMinMaxFanSpeed, device);
  if (!call) return call.code();
  if (!low || !high) return abi::kInvalidArgument;
  if (call.gpu().fans == 0) return abi::kNotSupported;
  *low = call.gpu().fan_lowest;
  return call.put(high, call.gpu().fan_highest);
}
NVML_API nvmlDeviceGetCoolerInfo(Device device, abi::CoolerInfo* out) {
  const Call call(Symbol::nvmlDeviceGetCoolerInfo, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  if (call.gpu().fans == 0) return abi::kNotSupported;
  if (out->index >= call.gpu().fans) return abi::kInvalidArgument;
  return call.put(out, {out->version, out->index, 2, 1U << 1});  // variable, cools the GPU
}

NVML_API nvmlDeviceGetClockInfo(Device device, Uint type, Uint* mhz) {
  return clock(
      Symbol::nvmlDeviceGetClockInfo, device, type, mhz,
      +[](const Gpu& gpu) -> const Uint(&)[4] { return gpu.clocks; });
}
NVML_API nvmlDeviceGetMaxClockInfo(Device device, Uint type, Uint* mhz) {
  return clock(
      Symbol::nvmlDeviceGetMaxClockInfo, device, type, mhz,
      +[](const Gpu& gpu) -> const Uint(&)[4] { return gpu.clocks_max; });
}
NVML_API nvmlDeviceGetApplicationsClock(Device device, Uint type, Uint* mhz) {
  return clock(
      Symbol::nvmlDeviceGetApplicationsClock, device, type, mhz,
      +[](const Gpu& gpu) -> const Uint(&)[4] { return gpu.clocks_app; });
}
NVML_API nvmlDeviceGetDefaultApplicationsClock(Device device, Uint type, Uint* mhz) {
  return clock(
      Symbol::nvmlDeviceGetDefaultApplicationsClock, device, type, mhz,
      +[](const Gpu& gpu) -> const Uint(&)[4] { return gpu.clocks_app_default; });
}
NVML_API nvmlDeviceGetMaxCustomerBoostClock(Device device, Uint type, Uint* mhz) {
  return clock(
      Symbol::nvmlDeviceGetMaxCustomerBoostClock, device, type, mhz,
      +[](const Gpu& gpu) -> const Uint(&)[4] { return gpu.clocks_boost_max; });
}
NVML_API nvmlDeviceGetClock(Device device, Uint type, Uint which, Uint* mhz) {
  const Call call(Symbol::nvmlDeviceGetClock, device);
  if (!call) return call.code();
  const Gpu& gpu = call.gpu();
  const Uint* const rows[] = {gpu.clocks, gpu.clocks_app, gpu.clocks_app_default, gpu.clocks_boost_max};
  if (!mhz || type >= 4 || which >= 4) return abi::kInvalidArgument;
  return absent(rows[which][type]) ? abi::kNotSupported : call.put(mhz, rows[which][type]);
}
NVML_API nvmlDeviceGetSupportedMemoryClocks(Device device, Uint* count, Uint* mhz) {
  const Call call(Symbol::nvmlDeviceGetSupportedMemoryClocks, device);
  if (!call) return call.code();
  const Uint clocks[] = {call.gpu().clocks_max[2]};
  return absent(clocks[0]) ? abi::kNotSupported : put_list(call, clocks, 1, count, mhz);
}
NVML_API nvmlDeviceGetSupportedGraphicsClocks(Device device, Uint memory_mhz, Uint* count, Uint* mhz) {
  const Call call(Symbol::nvmlDeviceGetSupportedGraphicsClocks, device);
  if (!call) return call.code();
  if (absent(call.gpu().clocks_max[0])) return abi::kNotSupported;
  if (memory_mhz != call.gpu().clocks_max[2]) return abi::kNotFound;
  return clock_steps(call, call.gpu().clocks_max[0], 210, count, mhz);
}
NVML_API nvmlDeviceGetAutoBoostedClocksEnabled(Device device, Uint* enabled, Uint* by_default) {
  const Call call(Symbol::nvmlDeviceGetAutoBoostedClocksEnabled, device);
  if (!call) return call.code();
  if (!enabled || !by_default) return abi::kInvalidArgument;
  if (absent(call.gpu().auto_boost)) return abi::kNotSupported;
  *by_default = 1;
  return call.put(enabled, call.gpu().auto_boost);
}

NVML_READ(nvmlDeviceGetCurrentClocksThrottleReasons, Ullong, gpu.event_reasons)
NVML_READ(nvmlDeviceGetCurrentClocksEventReasons, Ullong, gpu.event_reasons)
NVML_READ(nvmlDeviceGetSupportedClocksThrottleReasons, Ullong, gpu.event_reasons_supported)
NVML_READ(nvmlDeviceGetSupportedClocksEventReasons, Ullong, gpu.event_reasons_supported)
NVML_READ(nvmlDeviceGetPerformanceState, Uint, gpu.performance_state)
NVML_READ(nvmlDeviceGetPowerState, Uint, gpu.performance_state)

NVML_API nvmlDeviceGetSupportedPerformanceStates(Device device, Uint* states, Uint bytes) {
  const Call call(Symbol::nvmlDeviceGetSupportedPerformanceStates, device);
  if (!call) return call.code();
  if (!states) return abi::kInvalidArgument;
  if (bytes < 16 * sizeof(Uint)) return abi::kInsufficientSize;
  Uint all[16];
  std::fill(std::begin(all), std::end(all), 32U);  // no state
  all[0] = 0;
  call.copy(states, all, sizeof(all));
  return abi::kSuccess;
}
NVML_API nvmlDeviceGetMinMaxClockOfPState(Device device, Uint type, Uint state, Uint* low, Uint* high) {
  const Call call(Symbol::nvmlDeviceGetMinMaxClockOfPState, device);
  if (!call) return call.code();
  if (!low || !high || type >= 4 || state >= 16) return abi::kInvalidArgument;
  if (state != 0) return abi::kNotSupported;
  *low = type == 2 ? call.gpu().clocks_max[2] : 210;
  return call.put(high, call.gpu().clocks_max[type]);
}
NVML_API nvmlDeviceGetDynamicPstatesInfo(Device device, abi::DynamicPstates* out) {
  const Call call(Symbol::nvmlDeviceGetDynamicPstatesInfo, device);
  if (!call) return call.code();
  if (call.mig_on()) return abi::kNotSupported;
  abi::DynamicPstates states{};
  const Uint percents[] = {call.gpu().utilization_gpu, call.gpu().utilization_memory, call.gpu().utilization_decoder};
  for (std::size_t i = 0; i < std::size(percents); ++i) {
    if (!absent(percents[i])) states.domain[i] = {1, percents[i], 0, 0};
  }
  return call.put(out, states);
}
NVML_API nvmlDeviceGetViolationStatus(Device device, Uint policy, abi::ViolationTime* out) {
  const Call call(Symbol::nvmlDeviceGetViolationStatus, device);
  if (!call) return call.code();
  if (policy >= 12 || (policy > 5 && policy < 10)) return abi::kInvalidArgument;
  return call.put(out, {wall_us(), call.gpu().violation_ns[policy]});
}

NVML_READ(nvmlDeviceGetPowerManagementMode, Uint, absent(gpu.power_limit_mw) ? kAbsent : 1U)
NVML_READ(nvmlDeviceGetPowerManagementLimit, Uint, gpu.power_limit_mw)
NVML_READ(nvmlDeviceGetPowerManagementDefaultLimit, Uint, gpu.power_limit_default_mw)
NVML_READ(nvmlDeviceGetPowerUsage, Uint, gpu.power_mw)
NVML_READ(nvmlDeviceGetEnforcedPowerLimit, Uint, gpu.power_limit_enforced_mw)
NVML_API nvmlDeviceGetPowerManagementLimitConstraints(Device device, Uint* low, Uint* high) {
  const Call call(Symbol::nvmlDeviceGetPowerManagementLimitConstraints, device);
  if (!call) return call.code();
  if (!low || !high) return abi::kInvalidArgument;
  if (absent(call.gpu().power_limit_min_mw)) return abi::kNotSupported;
  *low = call.gpu().power_limit_min_mw;
  return call.put(high, call.gpu().power_limit_max_mw);
}
NVML_API nvmlDeviceGetTotalEnergyConsumption(Device device, Ullong* millijoules) {
  const Call call(Symbol::nvmlDeviceGetTotalEnergyConsumption, device);
  if (!call) return call.code();
  if (!call.gpu().energy_supported) return abi::kNotSupported;
  const Uint power = absent(call.gpu().power_mw) ? 0 : call.gpu().power_mw;
  return call.put(millijoules, call.counter(call.gpu().energy_mj, power));
}

NVML_API nvmlDeviceGetMemoryInfo(Device device, abi::Memory* out) {
  const Call call(Symbol::nvmlDeviceGetMemoryInfo, device, MigHandle::yes);
  if (!call) return call.code();
  const auto [total, reserved, used] =
      call.mig() ? std::array{call.mig()->memory_total, call.mig()->memory_reserved, call.mig()->memory_used}
                 : std::array{call.gpu().memory_total, call.gpu().memory_reserved, call.gpu().memory_used};
  if (absent(total)) return abi::kNotSupported;
  return call.put(out, {total, total - reserved - used, reserved + used});  // v1 counts the reserved part as used
}
NVML_API nvmlDeviceGetMemoryInfo_v2(Device device, abi::MemoryV2* out) {
  const Call call(Symbol::nvmlDeviceGetMemoryInfo_v2, device, MigHandle::yes);
  if (!call) return call.code();
  if (const Return code = call.check(out, 2)) return code;
  const auto [total, reserved, used] =
      call.mig() ? std::array{call.mig()->memory_total, call.mig()->memory_reserved, call.mig()->memory_used}
                 : std::array{call.gpu().memory_total, call.gpu().memory_reserved, call.gpu().memory_used};
  if (absent(total)) return abi::kNotSupported;
  return call.put(out, {out->version, total, reserved, total - reserved - used, used});
}
NVML_API nvmlDeviceGetBAR1MemoryInfo(Device device, abi::Bar1Memory* out) {
  const Call call(Symbol::nvmlDeviceGetBAR1MemoryInfo, device, MigHandle::yes);
  if (!call) return call.code();
  const Gpu& gpu = call.gpu();
  if (absent(gpu.bar1_total)) return abi::kNotSupported;
  return call.put(out, {gpu.bar1_total, gpu.bar1_total - gpu.bar1_used, gpu.bar1_used});
}
NVML_API nvmlDeviceGetConfComputeMemSizeInfo(Device device, abi::ConfComputeMemory* out) {
  const Call call(Symbol::nvmlDeviceGetConfComputeMemSizeInfo, device);
  if (!call) return call.code();
  return call.put(out, {call.gpu().protected_total_kib, call.gpu().unprotected_total_kib});
}
NVML_API nvmlDeviceGetConfComputeProtectedMemoryUsage(Device device, abi::Memory* out) {
  const Call call(Symbol::nvmlDeviceGetConfComputeProtectedMemoryUsage, device);
  if (!call) return call.code();
  const Ullong total = call.gpu().protected_total_kib * 1024;
  return call.put(out, {total, total, 0});
}
NVML_API nvmlDeviceGetDramEncryptionMode(Device device, abi::DramEncryption* current, abi::DramEncryption* pending) {
  const Call call(Symbol::nvmlDeviceGetDramEncryptionMode, device);
  if (!call) return call.code();
  if (const Return code = call.check(current, 1)) return code;
  if (const Return code = call.check(pending, 1)) return code;
  return abi::kNotSupported;
}

NVML_API nvmlDeviceGetUtilizationRates(Device device, abi::Utilization* out) {
  const Call call(Symbol::nvmlDeviceGetUtilizationRates, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (call.mig_on() || absent(call.gpu().utilization_gpu)) return abi::kNotSupported;
  return call.put(out, {call.gpu().utilization_gpu, call.gpu().utilization_memory});
}
NVML_API nvmlDeviceGetEncoderUtilization(Device device, Uint* percent, Uint* period_us) {
  return engine(Symbol::nvmlDeviceGetEncoderUtilization, device, percent, period_us,
                [](const Gpu& gpu) { return gpu.utilization_encoder; });
}
NVML_API nvmlDeviceGetDecoderUtilization(Device device, Uint* percent, Uint* period_us) {
  return engine(Symbol::nvmlDeviceGetDecoderUtilization, device, percent, period_us,
                [](const Gpu& gpu) { return gpu.utilization_decoder; });
}
NVML_API nvmlDeviceGetJpgUtilization(Device device, Uint* percent, Uint* period_us) {
  return engine(Symbol::nvmlDeviceGetJpgUtilization, device, percent, period_us,
                [](const Gpu& gpu) { return gpu.utilization_jpeg; });
}
NVML_API nvmlDeviceGetOfaUtilization(Device device, Uint* percent, Uint* period_us) {
  return engine(Symbol::nvmlDeviceGetOfaUtilization, device, percent, period_us,
                [](const Gpu& gpu) { return gpu.utilization_ofa; });
}
NVML_API nvmlDeviceGetEncoderCapacity(Device device, Uint codec, Uint* percent) {
  const Call call(Symbol::nvmlDeviceGetEncoderCapacity, device);
  if (!call) return call.code();
  return codec > 2 ? abi::kInvalidArgument : call.put(percent, 100U - std::min(100U, call.gpu().utilization_encoder));
}
NVML_API nvmlDeviceGetEncoderStats(Device device, Uint* sessions, Uint* fps, Uint* latency_us) {
  const Call call(Symbol::nvmlDeviceGetEncoderStats, device);
  if (!call) return call.code();
  if (!sessions || !fps || !latency_us) return abi::kInvalidArgument;
  *fps = call.gpu().encoder_fps;
  *latency_us = call.gpu().encoder_latency_us;
  return call.put(sessions, call.gpu().encoder_sessions);
}
NVML_API nvmlDeviceGetEncoderSessions(Device device, Uint* count, abi::EncoderSession* out) {
  const Call call(Symbol::nvmlDeviceGetEncoderSessions, device);
  if (!call) return call.code();
  const Gpu& gpu = call.gpu();
  abi::EncoderSession sessions[16];
  const Uint n = std::min<Uint>(gpu.encoder_sessions, 16);
  for (Uint i = 0; i < n; ++i) {
    sessions[i] = {i + 1,
                   i < gpu.process_count ? gpu.processes[i].pid : 0,
                   0,
                   0,
                   1920,
                   1080,
                   gpu.encoder_fps,
                   gpu.encoder_latency_us};
  }
  return put_list(call, sessions, n, count, out);
}
NVML_API nvmlDeviceGetFBCStats(Device device, abi::FbcStats* out) {
  const Call call(Symbol::nvmlDeviceGetFBCStats, device);
  return call ? call.put(out, {0, 0, 0}) : call.code();
}

NVML_API nvmlDeviceGetSamples(Device device, Uint type, Ullong last_seen_us, Uint* value_type, Uint* count,
                              abi::Sample* out) {
  const Call call(Symbol::nvmlDeviceGetSamples, device);
  if (!call) return call.code();
  const Gpu& gpu = call.gpu();
  const Uint values[] = {gpu.power_mw,
                         gpu.utilization_gpu,
                         gpu.utilization_memory,
                         gpu.utilization_encoder,
                         gpu.utilization_decoder,
                         gpu.clocks[0],
                         gpu.clocks[2],
                         kAbsent,
                         gpu.utilization_jpeg,
                         gpu.utilization_ofa};
  if (!value_type || !count || type >= std::size(values) || (out && *count == 0)) return abi::kInvalidArgument;
  const bool is_utilization = (type >= 1 && type <= 4) || type >= 8;
  if (absent(values[type]) || (call.mig_on() && is_utilization)) return abi::kNotSupported;
  // The driver keeps about a hundred samples, one every sixth of a second.
  constexpr Ullong kPeriodUs = 166'667;
  constexpr Uint kKept = 100;
  const Ullong newest = wall_us() / kPeriodUs * kPeriodUs;
  abi::Sample samples[kKept];
  Uint n = 0;
  for (Uint i = kKept; i-- > 0;) {
    const Ullong at = newest - i * kPeriodUs;
    if (at <= last_seen_us) continue;
    samples[n].timestamp = at;
    samples[n].value.ull = 0;
    samples[n++].value.u = values[type];
  }
  *value_type = abi::kUint;
  if (n == 0) return abi::kNotFound;
  if (!out) {
    *count = n;
    return abi::kSuccess;
  }
  *count = std::min(*count, n);
  call.copy(out, samples, *count * sizeof(abi::Sample));
  return abi::kSuccess;
}
