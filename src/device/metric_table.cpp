#include "device/metric_table.hpp"

#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

// One overload a type that a metric can have: the one place where a unit type becomes a number.
template <class Tag, class Rep>
MetricValue plain(const Quantity<Tag, Rep>& quantity) {
  if constexpr (std::integral<Rep>) {
    return static_cast<std::uint64_t>(quantity.value());
  } else {
    return quantity.value();
  }
}
MetricValue plain(bool value) {
  return value;
}
MetricValue plain(double value) {
  return value;
}
MetricValue plain(std::uint32_t value) {
  return static_cast<std::uint64_t>(value);
}
MetricValue plain(const std::string& value) {
  return value;
}
MetricValue plain(ThrottleReasons value) {
  return value.to_string();
}
MetricValue plain(const PciAddress& value) {
  return value.to_string();
}
MetricValue plain(std::chrono::nanoseconds value) {
  return std::chrono::duration<double>(value).count();
}
MetricValue plain(WallTime value) {
  return std::chrono::duration<double>(value.time_since_epoch()).count();
}

template <class T>
Metric<MetricValue> value_of(const Metric<T>& metric) {
  if (!metric) return missing(metric.error());
  return plain(*metric);
}

template <class T>
Metric<MetricValue> value_of(const std::optional<T>& fact) {
  if (!fact) return missing(Missing::not_supported);
  return plain(*fact);
}

using D = const Device&;
using R = const Reading&;
using enum MetricType;

// The order is that of outputs: what people look at first stands first.
constexpr MetricRow kMetrics[] = {
    {"temperature_celsius", "celsius", "Temperature of the GPU die at its edge.", gauge,
     [](D, R r) { return value_of(r.temperature); }},
    {"temperature_hotspot_celsius", "celsius", "Temperature of the hottest point of the die (hotspot, junction).",
     gauge, [](D, R r) { return value_of(r.temperature_hotspot); }},
    {"temperature_memory_celsius", "celsius", "Temperature of the device memory.", gauge,
     [](D, R r) { return value_of(r.temperature_memory); }},
    {"temperature_slowdown_celsius", "celsius", "Temperature at which the hardware slows the device down.", gauge,
     [](D, R r) { return value_of(r.temperature_slowdown); }},
    {"temperature_shutdown_celsius", "celsius", "Temperature at which the hardware shuts the device down.", gauge,
     [](D, R r) { return value_of(r.temperature_shutdown); }},
    {"temperature_max_operating_celsius", "celsius", "Highest temperature for normal operation.", gauge,
     [](D, R r) { return value_of(r.temperature_max_operating); }},
    {"temperature_margin_celsius", "celsius", "Degrees left before the device slows down.", gauge,
     [](D, R r) { return value_of(r.temperature_margin); }},
    {"fan_percent", "percent", "Fan speed as a share of its maximum, as intended by the controller; 0 means stopped.",
     gauge, [](D, R r) { return value_of(r.fan); }},
    {"fan_rpm", "rpm", "Speed of the first fan.", gauge, [](D, R r) { return value_of(r.fan_speed); }},
    {"utilization_percent", "percent", "Share of the last sample period in which the GPU was busy with anything.",
     gauge, [](D, R r) { return value_of(r.utilization); }},
    {"utilization_memory_percent", "percent",
     "Share of time in which the memory controller moved data; not the fill level.", gauge,
     [](D, R r) { return value_of(r.utilization_memory); }},
    {"utilization_render_percent", "percent", "Busy share of the graphics (3D, render) engine.", gauge,
     [](D, R r) { return value_of(r.utilization_render); }},
    {"utilization_compute_percent", "percent", "Busy share of the compute engines.", gauge,
     [](D, R r) { return value_of(r.utilization_compute); }},
    {"utilization_copy_percent", "percent", "Busy share of the copy (DMA, blitter) engines.", gauge,
     [](D, R r) { return value_of(r.utilization_copy); }},
    {"utilization_encoder_percent", "percent", "Busy share of the video encoder.", gauge,
     [](D, R r) { return value_of(r.utilization_encoder); }},
    {"utilization_decoder_percent", "percent", "Busy share of the video decoder.", gauge,
     [](D, R r) { return value_of(r.utilization_decoder); }},
    {"utilization_video_percent", "percent", "Busy share of video engines that both encode and decode.", gauge,
     [](D, R r) { return value_of(r.utilization_video); }},
    {"utilization_video_enhance_percent", "percent", "Busy share of the video post-processing engines.", gauge,
     [](D, R r) { return value_of(r.utilization_video_enhance); }},
    {"utilization_jpeg_percent", "percent", "Busy share of the JPEG engine.", gauge,
     [](D, R r) { return value_of(r.utilization_jpeg); }},
    {"utilization_ofa_percent", "percent", "Busy share of the optical flow engine.", gauge,
     [](D, R r) { return value_of(r.utilization_ofa); }},
    {"memory_used_bytes", "bytes",
     "Device memory in use, without what the driver reserves where the two are told apart.", gauge,
     [](D, R r) { return value_of(r.memory_used); }},
    {"memory_free_bytes", "bytes", "Device memory free to allocate.", gauge,
     [](D, R r) { return value_of(r.memory_free); }},
    {"memory_total_bytes", "bytes", "Device memory in all; the carve-out on an APU.", gauge,
     [](D, R r) { return value_of(r.memory_total); }},
    {"memory_reserved_bytes", "bytes", "Device memory that driver and firmware keep for themselves.", gauge,
     [](D, R r) { return value_of(r.memory_reserved); }},
    {"memory_bar1_used_bytes", "bytes", "Device memory mapped for the CPU in use (BAR1, visible VRAM).", gauge,
     [](D, R r) { return value_of(r.memory_bar1_used); }},
    {"memory_bar1_total_bytes", "bytes", "Device memory that the CPU can map (BAR1, visible VRAM).", gauge,
     [](D, R r) { return value_of(r.memory_bar1_total); }},
    {"memory_gtt_used_bytes", "bytes", "System memory in use by the GPU (GTT).", gauge,
     [](D, R r) { return value_of(r.memory_gtt_used); }},
    {"memory_gtt_total_bytes", "bytes", "System memory that the GPU may use (GTT).", gauge,
     [](D, R r) { return value_of(r.memory_gtt_total); }},
    {"memory_unified", "", "Whether the GPU shares the system's memory instead of having its own.", info,
     [](D, R r) { return value_of(r.memory_unified); }},
    {"power_watts", "watts", "Power draw of the whole board, averaged by the driver where it does so.", gauge,
     [](D, R r) { return value_of(r.power); }},
    {"power_instant_watts", "watts", "Power draw of the whole board at this instant.", gauge,
     [](D, R r) { return value_of(r.power_instant); }},
    {"power_limit_watts", "watts", "Power limit in force.", gauge, [](D, R r) { return value_of(r.power_limit); }},
    {"power_limit_default_watts", "watts", "Power limit that the board comes with.", gauge,
     [](D, R r) { return value_of(r.power_limit_default); }},
    {"power_limit_min_watts", "watts", "Lowest power limit that can be set.", gauge,
     [](D, R r) { return value_of(r.power_limit_min); }},
    {"power_limit_max_watts", "watts", "Highest power limit that can be set.", gauge,
     [](D, R r) { return value_of(r.power_limit_max); }},
    {"energy_joules", "joules", "Energy used since the driver was loaded.", counter,
     [](D, R r) { return value_of(r.energy); }},
    {"clock_graphics_mhz", "megahertz", "Graphics (shader) clock.", gauge,
     [](D, R r) { return value_of(r.clock_graphics); }},
    {"clock_sm_mhz", "megahertz", "Clock of the streaming multiprocessors.", gauge,
     [](D, R r) { return value_of(r.clock_sm); }},
    {"clock_memory_mhz", "megahertz", "Memory clock.", gauge, [](D, R r) { return value_of(r.clock_memory); }},
    {"clock_video_mhz", "megahertz", "Clock of the video engines.", gauge,
     [](D, R r) { return value_of(r.clock_video); }},
    {"clock_graphics_max_mhz", "megahertz", "Highest graphics clock.", gauge,
     [](D, R r) { return value_of(r.clock_graphics_max); }},
    {"clock_sm_max_mhz", "megahertz", "Highest clock of the streaming multiprocessors.", gauge,
     [](D, R r) { return value_of(r.clock_sm_max); }},
    {"clock_memory_max_mhz", "megahertz", "Highest memory clock.", gauge,
     [](D, R r) { return value_of(r.clock_memory_max); }},
    {"clock_video_max_mhz", "megahertz", "Highest clock of the video engines.", gauge,
     [](D, R r) { return value_of(r.clock_video_max); }},
    {"performance_state", "", "Performance state: P0 (fastest) to P15, or the driver's performance level.", info,
     [](D, R r) { return value_of(r.performance_state); }},
    {"throttle_reasons", "",
     "Why the clocks are lower than they could be, in words; none when nothing holds them back.", info,
     [](D, R r) { return value_of(r.throttle_reasons); }},
    {"throttle_power_seconds", "seconds", "Time in which a power limit held the clocks down.", counter,
     [](D, R r) { return value_of(r.throttle_power_time); }},
    {"throttle_thermal_seconds", "seconds", "Time in which a temperature held the clocks down.", counter,
     [](D, R r) { return value_of(r.throttle_thermal_time); }},
    {"pcie_generation", "", "Generation of the PCIe link now; links slow down when idle.", gauge,
     [](D, R r) { return value_of(r.pcie_generation); }},
    {"pcie_generation_max", "", "Highest PCIe generation that device and slot share.", gauge,
     [](D, R r) { return value_of(r.pcie_generation_max); }},
    {"pcie_width", "", "Lanes of the PCIe link now.", gauge, [](D, R r) { return value_of(r.pcie_width); }},
    {"pcie_width_max", "", "Most lanes that device and slot share.", gauge,
     [](D, R r) { return value_of(r.pcie_width_max); }},
    {"pcie_rx_bytes_per_second", "bytes/second", "Data received by the device over PCIe.", gauge,
     [](D, R r) { return value_of(r.pcie_rx); }},
    {"pcie_tx_bytes_per_second", "bytes/second", "Data sent by the device over PCIe.", gauge,
     [](D, R r) { return value_of(r.pcie_tx); }},
    {"pcie_replays", "", "PCIe packets that had to be sent again.", counter,
     [](D, R r) { return value_of(r.pcie_replays); }},
    {"interconnect_links", "", "NVLink or xGMI links that the device has.", gauge,
     [](D, R r) { return value_of(r.interconnect_links); }},
    {"interconnect_links_active", "", "NVLink or xGMI links that are up.", gauge,
     [](D, R r) { return value_of(r.interconnect_links_active); }},
    {"interconnect_rx_bytes_per_second", "bytes/second", "Data received over all NVLink or xGMI links.", gauge,
     [](D, R r) { return value_of(r.interconnect_rx); }},
    {"interconnect_tx_bytes_per_second", "bytes/second", "Data sent over all NVLink or xGMI links.", gauge,
     [](D, R r) { return value_of(r.interconnect_tx); }},
    {"ecc_enabled", "", "Whether memory errors are detected and corrected (ECC).", info,
     [](D, R r) { return value_of(r.ecc_enabled); }},
    {"ecc_corrected_volatile", "", "Corrected memory errors since the driver was loaded.", counter,
     [](D, R r) { return value_of(r.ecc_corrected_volatile); }},
    {"ecc_uncorrected_volatile", "", "Uncorrected memory errors since the driver was loaded.", counter,
     [](D, R r) { return value_of(r.ecc_uncorrected_volatile); }},
    {"ecc_corrected_aggregate", "", "Corrected memory errors over the life of the board.", counter,
     [](D, R r) { return value_of(r.ecc_corrected_aggregate); }},
    {"ecc_uncorrected_aggregate", "", "Uncorrected memory errors over the life of the board.", counter,
     [](D, R r) { return value_of(r.ecc_uncorrected_aggregate); }},
    {"retired_pages_corrected", "", "Memory pages retired after repeated corrected errors.", gauge,
     [](D, R r) { return value_of(r.retired_pages_corrected); }},
    {"retired_pages_uncorrected", "", "Memory pages retired after an uncorrected error, or marked bad.", gauge,
     [](D, R r) { return value_of(r.retired_pages_uncorrected); }},
    {"retired_pages_pending", "", "Whether pages wait for a reboot to be retired.", info,
     [](D, R r) { return value_of(r.retired_pages_pending); }},
    {"remapped_rows_corrected", "", "Memory rows remapped after corrected errors.", gauge,
     [](D, R r) { return value_of(r.remapped_rows_corrected); }},
    {"remapped_rows_uncorrected", "", "Memory rows remapped after uncorrected errors.", gauge,
     [](D, R r) { return value_of(r.remapped_rows_uncorrected); }},
    {"remapped_rows_pending", "", "Whether rows wait for a reset to be remapped.", info,
     [](D, R r) { return value_of(r.remapped_rows_pending); }},
    {"remapped_rows_failed", "", "Whether a row could not be remapped: the board needs service.", info,
     [](D, R r) { return value_of(r.remapped_rows_failed); }},
    {"xid_last", "", "Last XID error that the driver reported for the device.", gauge,
     [](D, R r) { return value_of(r.xid_last); }},
    {"faults", "", "Faults of the device in the fault journal, each occurrence counted once.", counter,
     [](D, R r) { return value_of(r.faults); }},
    {"faults_critical", "", "Those of them after which the device cannot be used or trusted until somebody acts.",
     counter, [](D, R r) { return value_of(r.faults_critical); }},
    {"fault_last_timestamp_seconds", "seconds", "When the last of them happened, in seconds since 1970 (UTC).", gauge,
     [](D, R r) { return value_of(r.fault_last); }},
    {"speed_multiplier", "", "What work on the device shall multiply its pace by: 1, 0.8, 0.5 or 0.", gauge,
     [](D, R r) { return value_of(r.speed_multiplier); }},
    {"should_throttle", "", "Whether that is half its speed or less.", info,
     [](D, R r) { return value_of(r.should_throttle); }},
    {"compute_mode", "", "Who may compute: default, exclusive_process, prohibited.", info,
     [](D, R r) { return value_of(r.compute_mode); }},
    {"persistence_mode", "", "Whether the driver stays loaded without clients.", info,
     [](D, R r) { return value_of(r.persistence_mode); }},
    {"mig_mode", "", "Whether the device is split into MIG instances.", info,
     [](D, R r) { return value_of(r.mig_mode); }},
    {"runtime_power_state", "", "Runtime power state of the PCI function: active, suspended, D0, D3cold.", info,
     [](D, R r) { return value_of(r.runtime_power_state); }},
    {"driver_version", "", "Version of the kernel driver.", info, [](D d, R) { return value_of(d.driver_version); }},
    {"library_version", "", "Version of the vendor's library.", info,
     [](D d, R) { return value_of(d.library_version); }},
    {"vbios_version", "", "Version of the video BIOS.", info, [](D d, R) { return value_of(d.vbios_version); }},
    {"serial", "", "Serial number of the board.", info, [](D d, R) { return value_of(d.serial); }},
    {"pci_address", "", "PCI address: domain:bus:device.function.", info, [](D d, R) { return value_of(d.pci); }},
    {"numa_node", "", "NUMA node that the device is attached to.", info, [](D d, R) { return value_of(d.numa_node); }},
};

}  // namespace

std::string_view to_string(MetricType type) {
  switch (type) {
    case gauge: return "gauge";
    case counter: return "counter";
    case info: return "info";
  }
  return "info";
}

std::span<const MetricRow> metric_table() {
  return kMetrics;
}

const MetricRow* find_metric(std::string_view name) {
  for (const MetricRow& row : kMetrics) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string to_string(const MetricValue& value) {
  struct Printer {
    std::string operator()(double number) const {
      const double rounded = std::round(number * 1000) / 1000;
      return fmt::format("{}", rounded == 0 ? 0.0 : rounded);  // no "-0"
    }
    std::string operator()(std::uint64_t number) const { return fmt::format("{}", number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(const std::string& text) const { return text; }
  };
  return std::visit(Printer{}, value);
}

Metric<double> to_number(const Metric<MetricValue>& value) {
  if (!value) return missing(value.error());
  if (const auto* number = std::get_if<double>(&*value)) return *number;
  if (const auto* whole = std::get_if<std::uint64_t>(&*value)) return static_cast<double>(*whole);
  if (const auto* flag = std::get_if<bool>(&*value)) return *flag ? 1.0 : 0.0;
  return missing(Missing::not_supported);
}

}  // namespace gpukeeper
