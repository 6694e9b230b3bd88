#include "report/report_json.hpp"

#include <cmath>

#include "core/rfc3339.hpp"
#include "format/json_text.hpp"
#include "report/figures.hpp"

namespace gpukeeper::report {
namespace {

Json number(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return {};
  const double rounded = std::round(*value * 1e6) / 1e6;
  return rounded == 0 ? 0.0 : rounded;  // no "-0.0"
}

void add_figures(Json& object, const account::Usage& usage, const account::Tariff& tariff) {
  for (const UsageFigure& figure : usage_figures()) {
    object[std::string(figure.name)] = number(figure.value(usage, tariff));
  }
}

void add_figures(Json& object, const account::DeviceUse& use, const account::Tariff& tariff) {
  for (const DeviceFigure& figure : device_figures()) {
    object[std::string(figure.name)] = number(figure.value(use, tariff));
  }
  const auto at = [](const std::optional<account::Peak>& peak) { return peak ? Json(rfc3339(peak->at)) : Json(); };
  object["temperature_peak_at"] = at(use.celsius);
  object["power_peak_at"] = at(use.watts);
  object["memory_peak_at"] = at(use.bytes);
}

Json device_columns(const Report& report, const DeviceRow& row) {
  Json list = Json::array();
  for (std::size_t n = 0; n < row.columns.size(); ++n) {
    const account::DeviceUse use = row.columns[n].value_or(account::DeviceUse());
    list.push_back(
        {{"time", rfc3339(report.start_of(n))},
         {"watched_seconds", number(use.watched_seconds)},
         {"utilization_percent", number(average_use(use))},
         {"power_watts", number(average_watts(use))},
         {"temperature_celsius", number(average_celsius(use))},
         {"temperature_peak_celsius", use.celsius ? number(use.celsius->value) : Json()},
         {"slowed_seconds", number(measured(use.slowed_seconds, use.slowed_unknown_seconds, use.watched_seconds))}});
  }
  return list;
}

Json devices(const Report& report) {
  Json list = Json::array();
  for (const DeviceRow& row : report.devices) {
    Json object = {{"index", row.device.index},       {"uuid", row.device.id.text},
                   {"name", row.device.name},         {"simulated", row.device.simulated},
                   {"recorded", row.device.recorded}, {"memory_total_bytes", number(row.device.memory_bytes)}};
    add_figures(object, row.use, report.tariff);
    object["columns"] = device_columns(report, row);
    list.push_back(std::move(object));
  }
  return list;
}

Json parties(const std::vector<PartyRow>& rows, const account::Tariff& tariff) {
  Json list = Json::array();
  for (const PartyRow& row : rows) {
    Json object = {{"name", text_or_null(row.name)}};
    add_figures(object, row.usage, tariff);
    list.push_back(std::move(object));
  }
  return list;
}

Json hoarders(const Report& report) {
  Json list = Json::array();
  for (const HoarderRow& row : report.hoarders) {
    list.push_back({{"index", row.index},
                    {"user", text_or_null(row.party.user)},
                    {"service", text_or_null(row.party.service)},
                    {"lease", row.party.lease == 0 ? Json() : Json(std::to_string(row.party.lease))},
                    {"class", to_string(row.party.kind)},
                    {"hoarded_hours", number(row.usage.hoarded_seconds / 3600)},
                    {"hoarded_gib_hours", number(row.usage.hoarded_byte_seconds / (1 << 30) / 3600)}});
  }
  return list;
}

Json alerts(const Report& report) {
  Json list = Json::array();
  for (const Alert& alert : report.alerts) {
    list.push_back({{"id", alert.id},
                    {"rule", alert.rule},
                    {"level", to_string(alert.level)},
                    {"index", or_null(alert.device_index)},
                    {"fired_at", rfc3339(*alert.fired_at)},
                    {"resolved_at", alert.resolved_at ? Json(rfc3339(*alert.resolved_at)) : Json()},
                    {"message", alert.message}});
  }
  return list;
}

Json faults(const Report& report) {
  Json list = Json::array();
  for (const FaultRow& row : report.faults) {
    list.push_back({{"index", or_null(row.index)},
                    {"title", row.title},
                    {"severity", to_string(row.severity)},
                    {"count", row.count}});
  }
  return list;
}

Json leases(const Report& report) {
  Json list = Json::array();
  for (const LeaseFacts& lease : report.leases) {
    list.push_back({{"id", lease.id},
                    {"service", lease.service},
                    {"user", text_or_null(lease.user)},
                    {"index", or_null(lease.index)},
                    {"state", lease.state},
                    {"held_hours", number(held_seconds(lease, report.from, report.to) / 3600)},
                    {"booked_bytes", number(lease.booked_bytes)},
                    {"peak_bytes", lease.observed ? number(lease.peak_bytes) : Json()},
                    {"underused", is_underused(lease, report.from, report.to)}});
  }
  return list;
}

}  // namespace

std::string report_json(const Report& report, bool indented) {
  Json total = Json::object();
  add_figures(total, report.total, report.tariff);
  Json advice = Json::array();
  for (const Advice& each : report.advice) {
    advice.push_back({{"weight", to_string(each.weight)}, {"sentence", each.sentence}});
  }
  const Json document = {{"schema", "gpukeeper.report/1"},
                         {"host", report.host},
                         {"basis", to_string(report.basis)},
                         {"simulated", report.simulated},
                         {"recorded", report.recorded},
                         {"from", rfc3339(report.from)},
                         {"to", rfc3339(report.to)},
                         {"column_seconds", report.column.count()},
                         {"tariff",
                          {{"price_per_kwh", or_null(report.tariff.price_per_kwh)},
                           {"currency", text_or_null(report.tariff.currency)},
                           {"carbon_g_per_kwh", or_null(report.tariff.carbon_g_per_kwh)}}},
                         {"total", std::move(total)},
                         {"devices", devices(report)},
                         {"users", parties(report.users, report.tariff)},
                         {"services", parties(report.services, report.tariff)},
                         {"containers", parties(report.containers, report.tariff)},
                         {"pods", parties(report.pods, report.tariff)},
                         {"jobs", parties(report.jobs, report.tariff)},
                         {"by_lease", parties(report.by_lease, report.tariff)},
                         {"shared",
                          {{"by_use_hours", number(report.division.by_use_seconds / 3600)},
                           {"by_memory_hours", number(report.division.by_memory_seconds / 3600)},
                           {"evenly_hours", number(report.division.evenly_seconds / 3600)}}},
                         {"hoarders", hoarders(report)},
                         {"leases", leases(report)},
                         {"alerts", alerts(report)},
                         {"faults", faults(report)},
                         {"advice", std::move(advice)},
                         {"unknown", report.unknowns}};
  return dump(document, indented);
}

}  // namespace gpukeeper::report
