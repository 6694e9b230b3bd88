#include "device/metric_fields.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

template <class T>
struct Traits;  // one specialisation a type that a metric can have: the mirror of the metric table's plain()

template <class Tag, class Rep>
struct Traits<Quantity<Tag, Rep>> {
  static constexpr FieldKind kind = std::integral<Rep> ? FieldKind::whole : FieldKind::number;
  static constexpr double min() {
    if (std::is_same_v<Tag, CelsiusTag>) return -273.15;
    return 0;
  }
  static constexpr double max() {
    if (std::is_same_v<Tag, PercentTag>) return 100;
    if (std::is_same_v<Tag, CelsiusTag>) return 1000;
    if (std::is_same_v<Rep, std::uint32_t>) return std::numeric_limits<std::uint32_t>::max();
    return 9007199254740992.0;  // 2^53: up to here a double counts every whole number; 8 PiB, 285 thousand years
  }
  static Quantity<Tag, Rep> from(const MetricValue& value) {
    if (const auto* whole = std::get_if<std::uint64_t>(&value); whole && std::integral<Rep>) {
      return Quantity<Tag, Rep>(static_cast<Rep>(std::min(*whole, static_cast<std::uint64_t>(max()))));
    }
    const double number = std::clamp(to_number(value).value_or(0), min(), max());
    if constexpr (std::integral<Rep>) {
      return Quantity<Tag, Rep>(static_cast<Rep>(std::llround(number)));
    } else {
      return Quantity<Tag, Rep>(number);
    }
  }
};

template <>
struct Traits<double> {  // a share of one
  static constexpr FieldKind kind = FieldKind::number;
  static constexpr double min() { return 0; }
  static constexpr double max() { return 1; }
  static double from(const MetricValue& value) { return std::clamp(to_number(value).value_or(0), min(), max()); }
};

template <>
struct Traits<std::chrono::nanoseconds> {
  static constexpr FieldKind kind = FieldKind::number;
  static constexpr double min() { return 0; }
  static constexpr double max() { return 1e9; }  // seconds; 31 years, as nanoseconds well inside 63 bits
  static std::chrono::nanoseconds from(const MetricValue& value) {
    const double seconds = std::clamp(to_number(value).value_or(0), min(), max());
    return std::chrono::nanoseconds(std::llround(seconds * 1e9));
  }
};

template <>
struct Traits<WallTime> {
  static constexpr FieldKind kind = FieldKind::number;
  static constexpr double min() { return 0; }
  static constexpr double max() {
    return 4'102'444'800;
  }  // seconds since 1970: the year 2100, well inside 63 bits of ns
  static WallTime from(const MetricValue& value) {
    const double seconds = std::clamp(to_number(value).value_or(0), min(), max());
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(seconds)));
  }
};

template <>
struct Traits<bool> {
  static constexpr FieldKind kind = FieldKind::flag;
  static constexpr double min() { return 0; }
  static constexpr double max() { return 1; }
  static bool from(const MetricValue& value) { return to_number(value).value_or(0) != 0; }
};

template <>
struct Traits<std::string> {
  static constexpr FieldKind kind = FieldKind::text;
  static constexpr double min() { return 0; }
  static constexpr double max() { return 0; }
  static std::string from(const MetricValue& value) { return to_string(value); }
};

template <>
struct Traits<ThrottleReasons> {
  static constexpr FieldKind kind = FieldKind::throttle_reasons;
  static constexpr double min() { return 0; }
  static constexpr double max() { return 0; }
  static ThrottleReasons from(const MetricValue& value) {
    return parse_throttle_reasons(to_string(value)).value_or(ThrottleReasons(Throttle::other));
  }
};

template <>
struct Traits<std::uint32_t> {
  static constexpr FieldKind kind = FieldKind::whole;
  static std::uint32_t from(const MetricValue& value) { return Traits<Rpm>::from(value).value(); }
};

template <class Owner, class T>
T value_type(Metric<T> Owner::*);

template <auto Member, class Owner>
void set(Owner& owner, const Metric<MetricValue>& value) {
  if (value) {
    owner.*Member = Traits<decltype(value_type(Member))>::from(*value);
  } else {
    owner.*Member = missing(value.error());
  }
}

template <auto Member>
constexpr MetricField metric(std::string_view name) {
  using T = Traits<decltype(value_type(Member))>;
  return {name, T::kind, T::min(), T::max(), &set<Member, Reading>};
}

template <auto Member>
constexpr FactField fact(std::string_view name) {
  using T = Traits<decltype(value_type(Member))>;
  return {name, T::kind, &set<Member, Device>};
}

// A test walks the metric table and fails for any row of a Reading that is missing here.
constexpr MetricField kMetricFields[] = {
    metric<&Reading::temperature>("temperature_celsius"),
    metric<&Reading::temperature_hotspot>("temperature_hotspot_celsius"),
    metric<&Reading::temperature_memory>("temperature_memory_celsius"),
    metric<&Reading::temperature_slowdown>("temperature_slowdown_celsius"),
    metric<&Reading::temperature_shutdown>("temperature_shutdown_celsius"),
    metric<&Reading::temperature_max_operating>("temperature_max_operating_celsius"),
    metric<&Reading::temperature_margin>("temperature_margin_celsius"),
    metric<&Reading::fan>("fan_percent"),
    metric<&Reading::fan_speed>("fan_rpm"),
    metric<&Reading::utilization>("utilization_percent"),
    metric<&Reading::utilization_memory>("utilization_memory_percent"),
    metric<&Reading::utilization_render>("utilization_render_percent"),
    metric<&Reading::utilization_compute>("utilization_compute_percent"),
    metric<&Reading::utilization_copy>("utilization_copy_percent"),
    metric<&Reading::utilization_encoder>("utilization_encoder_percent"),
    metric<&Reading::utilization_decoder>("utilization_decoder_percent"),
    metric<&Reading::utilization_video>("utilization_video_percent"),
    metric<&Reading::utilization_video_enhance>("utilization_video_enhance_percent"),
    metric<&Reading::utilization_jpeg>("utilization_jpeg_percent"),
    metric<&Reading::utilization_ofa>("utilization_ofa_percent"),
    metric<&Reading::memory_used>("memory_used_bytes"),
    metric<&Reading::memory_free>("memory_free_bytes"),
    metric<&Reading::memory_total>("memory_total_bytes"),
    metric<&Reading::memory_reserved>("memory_reserved_bytes"),
    metric<&Reading::memory_bar1_used>("memory_bar1_used_bytes"),
    metric<&Reading::memory_bar1_total>("memory_bar1_total_bytes"),
    metric<&Reading::memory_gtt_used>("memory_gtt_used_bytes"),
    metric<&Reading::memory_gtt_total>("memory_gtt_total_bytes"),
    metric<&Reading::memory_unified>("memory_unified"),
    metric<&Reading::power>("power_watts"),
    metric<&Reading::power_instant>("power_instant_watts"),
    metric<&Reading::power_limit>("power_limit_watts"),
    metric<&Reading::power_limit_default>("power_limit_default_watts"),
    metric<&Reading::power_limit_min>("power_limit_min_watts"),
    metric<&Reading::power_limit_max>("power_limit_max_watts"),
    metric<&Reading::energy>("energy_joules"),
    metric<&Reading::clock_graphics>("clock_graphics_mhz"),
    metric<&Reading::clock_sm>("clock_sm_mhz"),
    metric<&Reading::clock_memory>("clock_memory_mhz"),
    metric<&Reading::clock_video>("clock_video_mhz"),
    metric<&Reading::clock_graphics_max>("clock_graphics_max_mhz"),
    metric<&Reading::clock_sm_max>("clock_sm_max_mhz"),
    metric<&Reading::clock_memory_max>("clock_memory_max_mhz"),
    metric<&Reading::clock_video_max>("clock_video_max_mhz"),
    metric<&Reading::performance_state>("performance_state"),
    metric<&Reading::throttle_reasons>("throttle_reasons"),
    metric<&Reading::throttle_power_time>("throttle_power_seconds"),
    metric<&Reading::throttle_thermal_time>("throttle_thermal_seconds"),
    metric<&Reading::pcie_generation>("pcie_generation"),
    metric<&Reading::pcie_generation_max>("pcie_generation_max"),
    metric<&Reading::pcie_width>("pcie_width"),
    metric<&Reading::pcie_width_max>("pcie_width_max"),
    metric<&Reading::pcie_rx>("pcie_rx_bytes_per_second"),
    metric<&Reading::pcie_tx>("pcie_tx_bytes_per_second"),
    metric<&Reading::pcie_replays>("pcie_replays"),
    metric<&Reading::interconnect_links>("interconnect_links"),
    metric<&Reading::interconnect_links_active>("interconnect_links_active"),
    metric<&Reading::interconnect_rx>("interconnect_rx_bytes_per_second"),
    metric<&Reading::interconnect_tx>("interconnect_tx_bytes_per_second"),
    metric<&Reading::ecc_enabled>("ecc_enabled"),
    metric<&Reading::ecc_corrected_volatile>("ecc_corrected_volatile"),
    metric<&Reading::ecc_uncorrected_volatile>("ecc_uncorrected_volatile"),
    metric<&Reading::ecc_corrected_aggregate>("ecc_corrected_aggregate"),
    metric<&Reading::ecc_uncorrected_aggregate>("ecc_uncorrected_aggregate"),
    metric<&Reading::retired_pages_corrected>("retired_pages_corrected"),
    metric<&Reading::retired_pages_uncorrected>("retired_pages_uncorrected"),
    metric<&Reading::retired_pages_pending>("retired_pages_pending"),
    metric<&Reading::remapped_rows_corrected>("remapped_rows_corrected"),
    metric<&Reading::remapped_rows_uncorrected>("remapped_rows_uncorrected"),
    metric<&Reading::remapped_rows_pending>("remapped_rows_pending"),
    metric<&Reading::remapped_rows_failed>("remapped_rows_failed"),
    metric<&Reading::xid_last>("xid_last"),
    metric<&Reading::faults>("faults"),
    metric<&Reading::faults_critical>("faults_critical"),
    metric<&Reading::fault_last>("fault_last_timestamp_seconds"),
    metric<&Reading::speed_multiplier>("speed_multiplier"),
    metric<&Reading::should_throttle>("should_throttle"),
    metric<&Reading::compute_mode>("compute_mode"),
    metric<&Reading::persistence_mode>("persistence_mode"),
    metric<&Reading::mig_mode>("mig_mode"),
    metric<&Reading::runtime_power_state>("runtime_power_state"),
};

constexpr FactField kFactFields[] = {
    fact<&Device::driver>("driver"),
    fact<&Device::driver_version>("driver_version"),
    fact<&Device::library_version>("library_version"),
    fact<&Device::cuda_version>("cuda_version"),
    fact<&Device::vbios_version>("vbios_version"),
    fact<&Device::serial>("serial"),
    fact<&Device::board_part_number>("board_part_number"),
    fact<&Device::architecture>("architecture"),
    fact<&Device::compute_capability>("compute_capability"),
    fact<&Device::pci_id>("pci_id"),
    fact<&Device::pci_subsystem_id>("pci_subsystem_id"),
    fact<&Device::cpu_affinity>("cpu_affinity"),
    fact<&Device::numa_node>("numa_node"),
    fact<&Device::minor_number>("minor_number"),
};

template <class Field, std::size_t N>
const Field* find_in(const Field (&fields)[N], std::string_view name) {
  const auto* found = std::ranges::find(fields, name, &Field::name);
  return found == std::end(fields) ? nullptr : found;
}

}  // namespace

std::span<const MetricField> metric_fields() {
  return kMetricFields;
}

const MetricField* find_metric_field(std::string_view name) {
  return find_in(kMetricFields, name);
}

std::span<const FactField> fact_fields() {
  return kFactFields;
}

const FactField* find_fact_field(std::string_view name) {
  return find_in(kFactFields, name);
}

std::vector<std::string_view> throttle_words() {
  ThrottleReasons all;
  for (unsigned bit = 0; bit < 32; ++bit) all.add(static_cast<Throttle>(std::uint32_t{1} << bit));
  return all.words();
}

std::optional<ThrottleReasons> parse_throttle_reasons(std::string_view text) {
  ThrottleReasons result;
  if (trim(text) == "none") return result;
  for (const auto piece : split(text, ',')) {
    bool known = false;
    for (unsigned bit = 0; bit < 32 && !known; ++bit) {
      const ThrottleReasons reason(static_cast<Throttle>(std::uint32_t{1} << bit));
      const auto words = reason.words();
      known = !words.empty() && words.front() == trim(piece);
      if (known) result.add(static_cast<Throttle>(reason.bits()));
    }
    if (!known) return std::nullopt;
  }
  return result;
}

}  // namespace gpukeeper
