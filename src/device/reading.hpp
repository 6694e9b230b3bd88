#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"
#include "device/throttle.hpp"

namespace gpukeeper {

/// How far the device could be looked at.
enum class Attention {
  awake,    ///< read in full
  resting,  ///< idle and free to suspend itself: its sensors were left alone on purpose, so nothing new is here
  asleep,   ///< runtime-suspended: not touched
};

/// A further sensor that the driver names and the metric table has no row for: a second fan, a VRAM channel, a rail.
struct Sensor {
  std::string name;  ///< the driver's label: "vram_ch_4", "fan2"
  std::string unit;  ///< "celsius", "rpm", "watts", "volts", "megahertz", "joules", "percent"
  double value = 0;
  friend bool operator==(const Sensor&, const Sensor&) = default;
};

/// One device's metrics at one instant. What a field means to a user stands in the metric table (metric_table.cpp).
///
/// A backend makes one with the reason that holds for whatever it does not set: Reading{Missing::not_supported}.
struct Reading {
  Missing otherwise = Missing::not_yet_read;
  constexpr tl::unexpected<Missing> absent() const { return tl::unexpected<Missing>(otherwise); }

  Attention attention = Attention::awake;

  Metric<Celsius> temperature = absent();  // edge of the die
  Metric<Celsius> temperature_hotspot = absent();
  Metric<Celsius> temperature_memory = absent();
  Metric<Celsius> temperature_slowdown = absent();
  Metric<Celsius> temperature_shutdown = absent();
  Metric<Celsius> temperature_max_operating = absent();
  Metric<Celsius> temperature_margin = absent();

  Metric<Percent> fan = absent();
  Metric<Rpm> fan_speed = absent();

  Metric<Percent> utilization = absent();
  Metric<Percent> utilization_memory = absent();
  Metric<Percent> utilization_render = absent();
  Metric<Percent> utilization_compute = absent();
  Metric<Percent> utilization_copy = absent();
  Metric<Percent> utilization_encoder = absent();
  Metric<Percent> utilization_decoder = absent();
  Metric<Percent> utilization_video = absent();
  Metric<Percent> utilization_video_enhance = absent();
  Metric<Percent> utilization_jpeg = absent();
  Metric<Percent> utilization_ofa = absent();

  Metric<Bytes> memory_used = absent();  // without what the driver reserves, where the source tells them apart
  Metric<Bytes> memory_free = absent();
  Metric<Bytes> memory_total = absent();
  Metric<Bytes> memory_reserved = absent();
  Metric<Bytes> memory_bar1_used = absent();
  Metric<Bytes> memory_bar1_total = absent();
  Metric<Bytes> memory_gtt_used = absent();
  Metric<Bytes> memory_gtt_total = absent();
  Metric<bool> memory_unified = absent();

  Metric<Watts> power = absent();
  Metric<Watts> power_instant = absent();
  Metric<Watts> power_limit = absent();
  Metric<Watts> power_limit_default = absent();
  Metric<Watts> power_limit_min = absent();
  Metric<Watts> power_limit_max = absent();
  Metric<Joules> energy = absent();

  Metric<Megahertz> clock_graphics = absent();
  Metric<Megahertz> clock_sm = absent();
  Metric<Megahertz> clock_memory = absent();
  Metric<Megahertz> clock_video = absent();
  Metric<Megahertz> clock_graphics_max = absent();
  Metric<Megahertz> clock_sm_max = absent();
  Metric<Megahertz> clock_memory_max = absent();
  Metric<Megahertz> clock_video_max = absent();

  Metric<std::string> performance_state = absent();
  Metric<ThrottleReasons> throttle_reasons = absent();
  Metric<std::chrono::nanoseconds> throttle_power_time = absent();
  Metric<std::chrono::nanoseconds> throttle_thermal_time = absent();

  Metric<Count> pcie_generation = absent();
  Metric<Count> pcie_generation_max = absent();
  Metric<Count> pcie_width = absent();
  Metric<Count> pcie_width_max = absent();
  Metric<BytesPerSecond> pcie_rx = absent();
  Metric<BytesPerSecond> pcie_tx = absent();
  Metric<Count> pcie_replays = absent();

  Metric<Count> interconnect_links = absent();
  Metric<Count> interconnect_links_active = absent();
  Metric<BytesPerSecond> interconnect_rx = absent();
  Metric<BytesPerSecond> interconnect_tx = absent();

  Metric<bool> ecc_enabled = absent();
  Metric<Count> ecc_corrected_volatile = absent();
  Metric<Count> ecc_uncorrected_volatile = absent();
  Metric<Count> ecc_corrected_aggregate = absent();
  Metric<Count> ecc_uncorrected_aggregate = absent();
  Metric<Count> retired_pages_corrected = absent();
  Metric<Count> retired_pages_uncorrected = absent();
  Metric<bool> retired_pages_pending = absent();
  Metric<Count> remapped_rows_corrected = absent();
  Metric<Count> remapped_rows_uncorrected = absent();
  Metric<bool> remapped_rows_pending = absent();
  Metric<bool> remapped_rows_failed = absent();
  Metric<Count> xid_last = absent();

  // What the fault journal counts of the device; no source sets these.
  Metric<Count> faults = absent();
  Metric<Count> faults_critical = absent();
  Metric<WallTime> fault_last = absent();

  // What the governor advises for the device; no source sets these.
  Metric<double> speed_multiplier = absent();
  Metric<bool> should_throttle = absent();

  Metric<std::string> compute_mode = absent();
  Metric<bool> persistence_mode = absent();
  Metric<bool> mig_mode = absent();
  Metric<std::string> runtime_power_state = absent();

  std::vector<Sensor> sensors = {};
};

/// Fills what follows from the other values and the source did not say: free memory, the margin to the slowdown
/// temperature. Applied by the sampler to every reading, so that no backend does it twice.
void complete(Reading& reading);

/// Used over total memory as a percentage; nothing when either is unknown or the total is zero.
Metric<Percent> memory_percent(const Reading& reading);

/// The temperature to act on: that of the die's edge; the hotspot's on a device that reports no edge (MI300). A failed
/// edge stays failed, as the hotspot is some degrees hotter and borders meant for the edge would be crossed by the
/// failure alone.
Metric<Celsius> guarding_temperature(const Reading& reading);

}  // namespace gpukeeper
