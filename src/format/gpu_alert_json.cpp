#include "format/gpu_alert_json.hpp"

#include <limits>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/bounded_json.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

// What the four are made of, written and read by the same rows.
template <class Visit>
void members(auto& alert, Visit visit) {
  using A = std::remove_cvref_t<decltype(alert)>;
  visit("device", alert.device);
  if constexpr (std::is_same_v<A, ThermalThrottling>) visit("temp", alert.temp);
  if constexpr (std::is_same_v<A, MemoryPressure>) visit("used_percent", alert.used_percent);
  if constexpr (std::is_same_v<A, PowerLimit>) visit("power_percent", alert.power_percent);
  if constexpr (std::is_same_v<A, GpuIdle>) {
    visit("duration_secs", alert.duration_secs);
  } else {
    visit("threshold", alert.threshold);
  }
}

constexpr std::string_view name_of(const ThermalThrottling&) {
  return "ThermalThrottling";
}
constexpr std::string_view name_of(const MemoryPressure&) {
  return "MemoryPressure";
}
constexpr std::string_view name_of(const PowerLimit&) {
  return "PowerLimit";
}
constexpr std::string_view name_of(const GpuIdle&) {
  return "GpuIdle";
}

template <class A>
Result<GpuAlert> read(const Json& fields) {
  A alert;
  std::string trouble;
  members(alert, [&](const char* name, std::uint32_t& member) {
    const auto found = fields.find(name);
    const bool well = found != fields.end() && found->is_number_unsigned() &&
                      found->template get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
    if (well) {
      member = found->template get<std::uint32_t>();
    } else if (trouble.empty()) {
      trouble = fmt::format("{}: '{}' must be a whole number from 0 to 4294967295", name_of(alert), name);
    }
  });
  if (!trouble.empty()) return fail(Errc::invalid_argument, trouble);
  return GpuAlert(alert);
}

}  // namespace

std::string v0::to_json(const GpuAlert& alert) {
  Json document = Json::object();
  std::visit(
      [&](const auto& each) {
        Json fields = Json::object();
        members(each, [&](const char* name, std::uint32_t member) { fields[name] = member; });
        document[std::string(name_of(each))] = std::move(fields);
      },
      alert);
  return dump(document, false);
}

Result<GpuAlert> parse_gpu_alert(std::string_view json) {
  const Json document = parse_bounded(json);
  if (document.is_discarded() || !document.is_object() || document.size() != 1 || !document.begin()->is_object()) {
    return fail(Errc::invalid_argument, "an alert is an object with one key, its kind, that holds an object");
  }
  const std::string& kind = document.begin().key();
  const Json& fields = *document.begin();
  if (kind == name_of(ThermalThrottling{})) return read<ThermalThrottling>(fields);
  if (kind == name_of(MemoryPressure{})) return read<MemoryPressure>(fields);
  if (kind == name_of(PowerLimit{})) return read<PowerLimit>(fields);
  if (kind == name_of(GpuIdle{})) return read<GpuIdle>(fields);
  return fail(
      Errc::invalid_argument,
      fmt::format("'{}' is no kind of alert: there are ThermalThrottling, MemoryPressure, PowerLimit and GpuIdle",
                  fit(harmless(kind), 40)));
}

}  // namespace gpukeeper
