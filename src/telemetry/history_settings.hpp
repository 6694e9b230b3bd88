#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"

namespace gpukeeper {

/// The metrics that are kept unless somebody names others: what people look back at, and what trends need.
inline constexpr std::string_view kDefaultStoredMetrics[] = {
    "temperature_celsius",
    "temperature_hotspot_celsius",
    "temperature_memory_celsius",
    "temperature_slowdown_celsius",
    "fan_percent",
    "utilization_percent",
    "utilization_memory_percent",
    "utilization_encoder_percent",
    "utilization_decoder_percent",
    "memory_used_bytes",
    "memory_total_bytes",
    "power_watts",
    "power_limit_watts",
    "energy_joules",
    "clock_graphics_mhz",
    "clock_memory_mhz",
    "throttle_power_seconds",
    "throttle_thermal_seconds",
    "pcie_rx_bytes_per_second",
    "pcie_tx_bytes_per_second",
    "interconnect_rx_bytes_per_second",
    "interconnect_tx_bytes_per_second",
    "ecc_corrected_volatile",
    "faults",
};

/// How much of the past is kept. Two lengths: the documented list of samples (`history_size` of them, one every
/// `monitor_interval`), and the long history of many metrics at the sampler's own pace.
struct HistorySettings {
  std::size_t size = 200;                                       ///< `history_size`, of each device
  std::chrono::nanoseconds interval = std::chrono::seconds(3);  ///< `monitor_interval`
  std::chrono::nanoseconds span = std::chrono::hours(24);       ///< of the long history
  std::chrono::nanoseconds step = std::chrono::seconds(1);      ///< ticks that come faster are left out of it
  Bytes memory = 256_MiB;                                       ///< of all devices; above it the oldest goes
  /// Names of the metric table; numbers and yes/no only. At most 64, others are left out. Not changed while it runs.
  std::vector<std::string> metrics{std::begin(kDefaultStoredMetrics), std::end(kDefaultStoredMetrics)};

  friend bool operator==(const HistorySettings&, const HistorySettings&) = default;
};

}  // namespace gpukeeper
