#include <algorithm>

#include "backend/nvml/conversions.hpp"
#include "backend/nvml/device_table.hpp"

namespace gpukeeper::nvml {

using namespace abi;

namespace {

using Values = DeviceReader::Values;
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
     [](Values& v, const FieldValue& f) { v.reading.ecc_corrected_volatile = ecc_count(v.reading, f.code, whole(f)); },
     kEccCorrectedVolatileCall},
    {field::kEccUncorrectedVolatile, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.ecc_uncorrected_volatile = ecc_count(v.reading, f.code, whole(f));
     },
     kEccUncorrectedVolatileCall},
    {field::kEccCorrectedAggregate, kGpuScope,
     [](Values& v, const FieldValue& f) { v.reading.ecc_corrected_aggregate = ecc_count(v.reading, f.code, whole(f)); },
     kEccCorrectedAggregateCall},
    {field::kEccUncorrectedAggregate, kGpuScope,
     [](Values& v, const FieldValue& f) {
       v.reading.ecc_uncorrected_aggregate = ecc_count(v.reading, f.code, whole(f));
     },
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

std::span<const Field> DeviceReader::quick_fields() {
  return kQuickFields;
}
std::span<const Field> DeviceReader::nvlink_fields() {
  return kNvlinkFields;
}
std::span<const Field> DeviceReader::fields_of_a_link() {
  return kNvlink5Fields;
}
std::span<const Field> DeviceReader::slow_fields() {
  return kSlowFields;
}
const Field& DeviceReader::state_of_a_link() {
  return kNvlinkStateField;
}

}  // namespace gpukeeper::nvml
