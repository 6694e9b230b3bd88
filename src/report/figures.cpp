#include "report/figures.hpp"

#include "report/report.hpp"

namespace gpukeeper::report {
namespace {

using account::DeviceUse;
using account::Tariff;
using account::Usage;

constexpr double kHour = 3600;
constexpr double kGiB = 1 << 30;

std::optional<double> energy(const Usage& usage) {
  return measured(usage.joules, usage.joules_unknown_seconds, usage.gpu_seconds);
}

std::optional<double> energy(const DeviceUse& use) {
  return measured(use.joules, use.joules_unknown_seconds, use.watched_seconds);
}

std::optional<double> in_kwh(std::optional<double> joules) {
  return joules ? std::optional(kwh(*joules)) : std::nullopt;
}

std::optional<double> peak(const std::optional<account::Peak>& value) {
  return value ? std::optional(value->value) : std::nullopt;
}

constexpr UsageFigure kUsage[] = {
    {"gpu_hours", [](const Usage& u, const Tariff&) { return std::optional(u.gpu_seconds / kHour); }},
    {"busy_gpu_hours",
     [](const Usage& u, const Tariff&) {
       return measured(u.busy_seconds / kHour, u.busy_unknown_seconds, u.gpu_seconds);
     }},
    {"busy_unknown_gpu_hours",
     [](const Usage& u, const Tariff&) { return std::optional(u.busy_unknown_seconds / kHour); }},
    {"idle_gpu_hours",
     [](const Usage& u, const Tariff&) {
       return measured(u.idle_seconds / kHour, u.busy_unknown_seconds, u.gpu_seconds);
     }},
    {"memory_gib_hours",
     [](const Usage& u, const Tariff&) -> std::optional<double> {
       if (u.byte_seconds <= 0 && u.byte_unknown_seconds > 0) return std::nullopt;
       return u.byte_seconds / kGiB / kHour;
     }},
    {"memory_unknown_hours",
     [](const Usage& u, const Tariff&) { return std::optional(u.byte_unknown_seconds / kHour); }},
    {"energy_kwh", [](const Usage& u, const Tariff&) { return in_kwh(energy(u)); }},
    {"energy_unknown_gpu_hours",
     [](const Usage& u, const Tariff&) { return std::optional(u.joules_unknown_seconds / kHour); }},
    {"idle_energy_kwh", [](const Usage& u, const Tariff&) { return energy(u) ? in_kwh(u.idle_joules) : std::nullopt; }},
    {"cost", [](const Usage& u, const Tariff& t) { return energy(u) ? cost(u.joules, t) : std::nullopt; }},
    {"carbon_kg", [](const Usage& u, const Tariff& t) { return energy(u) ? carbon_kg(u.joules, t) : std::nullopt; }},
};

constexpr DeviceFigure kDevice[] = {
    {"watched_hours", [](const DeviceUse& u, const Tariff&) { return std::optional(u.watched_seconds / kHour); }},
    {"away_hours", [](const DeviceUse& u, const Tariff&) { return std::optional(u.away_seconds / kHour); }},
    {"asleep_hours", [](const DeviceUse& u, const Tariff&) { return std::optional(u.asleep_seconds / kHour); }},
    {"held_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.held_seconds / kHour, u.held_unknown_seconds, u.watched_seconds);
     }},
    {"held_unknown_hours",
     [](const DeviceUse& u, const Tariff&) { return std::optional(u.held_unknown_seconds / kHour); }},
    {"idle_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.idle_seconds / kHour, u.busy_unknown_seconds, u.watched_seconds);
     }},
    {"busy_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.busy_seconds / kHour, u.busy_unknown_seconds, u.watched_seconds);
     }},
    {"busy_unknown_hours",
     [](const DeviceUse& u, const Tariff&) { return std::optional(u.busy_unknown_seconds / kHour); }},
    {"utilization_percent", [](const DeviceUse& u, const Tariff&) { return average_use(u); }},
    {"energy_kwh", [](const DeviceUse& u, const Tariff&) { return in_kwh(energy(u)); }},
    {"energy_unknown_hours",
     [](const DeviceUse& u, const Tariff&) { return std::optional(u.joules_unknown_seconds / kHour); }},
    {"free_energy_kwh",
     [](const DeviceUse& u, const Tariff&) { return energy(u) ? in_kwh(u.free.joules) : std::nullopt; }},
    {"unattributed_energy_kwh",
     [](const DeviceUse& u, const Tariff&) { return energy(u) ? in_kwh(u.unlisted.joules) : std::nullopt; }},
    {"cost", [](const DeviceUse& u, const Tariff& t) { return energy(u) ? cost(u.joules, t) : std::nullopt; }},
    {"carbon_kg",
     [](const DeviceUse& u, const Tariff& t) { return energy(u) ? carbon_kg(u.joules, t) : std::nullopt; }},
    {"slowed_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.slowed_seconds / kHour, u.slowed_unknown_seconds, u.watched_seconds);
     }},
    {"slowed_by_heat_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.slowed_by_heat_seconds / kHour, u.slowed_unknown_seconds, u.watched_seconds);
     }},
    {"slowed_by_power_hours",
     [](const DeviceUse& u, const Tariff&) {
       return measured(u.slowed_by_power_seconds / kHour, u.slowed_unknown_seconds, u.watched_seconds);
     }},
    {"slowed_unknown_hours",
     [](const DeviceUse& u, const Tariff&) { return std::optional(u.slowed_unknown_seconds / kHour); }},
    {"temperature_average_celsius", [](const DeviceUse& u, const Tariff&) { return average_celsius(u); }},
    {"temperature_peak_celsius", [](const DeviceUse& u, const Tariff&) { return peak(u.celsius); }},
    {"power_average_watts", [](const DeviceUse& u, const Tariff&) { return average_watts(u); }},
    {"power_peak_watts", [](const DeviceUse& u, const Tariff&) { return peak(u.watts); }},
    {"memory_average_bytes",
     [](const DeviceUse& u, const Tariff&) -> std::optional<double> {
       if (u.byte_known_seconds <= 0) return std::nullopt;
       return u.byte_seconds / u.byte_known_seconds;
     }},
    {"memory_peak_bytes", [](const DeviceUse& u, const Tariff&) { return peak(u.bytes); }},
};

}  // namespace

std::span<const UsageFigure> usage_figures() {
  return kUsage;
}

std::span<const DeviceFigure> device_figures() {
  return kDevice;
}

std::optional<double> measured(double value, double unknown, double whole) {
  constexpr double kAll = 1 - 1e-9;
  if (whole > 0 && unknown >= whole * kAll) return std::nullopt;
  return value;
}

std::optional<double> average_use(const DeviceUse& use) {
  const double known = use.watched_seconds - use.busy_unknown_seconds;
  return known > 0 ? std::optional(100 * use.busy_seconds / known) : std::nullopt;
}

std::optional<double> average_celsius(const DeviceUse& use) {
  if (use.celsius_known_seconds <= 0) return std::nullopt;
  return use.celsius_seconds / use.celsius_known_seconds;
}

std::optional<double> average_watts(const DeviceUse& use) {
  const double known = use.watched_seconds - use.joules_unknown_seconds;
  return known > 0 ? std::optional(use.joules / known) : std::nullopt;
}

}  // namespace gpukeeper::report
