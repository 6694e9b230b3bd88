#include "report/report_text.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/human.hpp"
#include "report/figures.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

constexpr double kHour = 3600;

std::string origin_of(const Report& report) {
  if (report.simulated) return ", simulated";
  return report.recorded ? ", recorded" : "";
}

std::string device_line(const DeviceRow& row, const account::Tariff& tariff) {
  const account::DeviceUse& use = row.use;
  std::string text = fmt::format("  GPU {}: {}: ", row.device.index, harmless(row.device.name));
  const auto held = measured(use.held_seconds, use.held_unknown_seconds, use.watched_seconds);
  text += held ? "held " + hours_text(*held) : "who held it is not known";
  if (const auto busy = average_use(use)) text += fmt::format(", {} % used", amount(*busy));
  const auto joules = measured(use.joules, use.joules_unknown_seconds, use.watched_seconds);
  text += ", " + (joules ? energy_with_cost(*joules, tariff) : "power not measured");
  if (use.celsius) text += fmt::format(", at most {:.0f} °C", use.celsius->value);
  if (use.watts) text += fmt::format(", {:.0f} W", use.watts->value);
  if (use.slowed_seconds > 0) text += ", held back for " + hours_text(use.slowed_seconds);
  if (use.away_seconds > 0) text += ", not readable for " + hours_text(use.away_seconds);
  return text + "\n";
}

std::string party_lines(std::string_view title, const std::vector<PartyRow>& rows, std::string_view nameless,
                        const account::Tariff& tariff) {
  if (rows.empty()) return "";
  std::string text = fmt::format("\n{}:\n", title);
  for (const PartyRow& row : rows) {
    const account::Usage& usage = row.usage;
    text += fmt::format("  {}: {} GPU-hours", row.name.empty() ? std::string(nameless) : harmless(row.name),
                        amount(usage.gpu_seconds / kHour));
    if (const auto busy = measured(usage.busy_seconds, usage.busy_unknown_seconds, usage.gpu_seconds)) {
      text += fmt::format(", {} of them used", amount(*busy / kHour));
    }
    const auto joules = measured(usage.joules, usage.joules_unknown_seconds, usage.gpu_seconds);
    text += ", " + (joules ? energy_with_cost(*joules, tariff) : "power not measured");
    if (usage.idle_seconds > 0) text += fmt::format(", idle for {}", hours_text(usage.idle_seconds));
    text += "\n";
  }
  return text;
}

std::string hoarder_lines(const Report& report) {
  if (report.hoarders.empty()) return "";
  std::string text = "\nMemory Held Without Use:\n";
  for (const HoarderRow& row : report.hoarders) {
    text +=
        fmt::format("  GPU {}: {}: {} GiB-hours in {}\n", row.index, hoarder_name(row.party),
                    amount(row.usage.hoarded_byte_seconds / (1 << 30) / kHour), hours_text(row.usage.hoarded_seconds));
  }
  return text;
}

}  // namespace

std::string report_text(const Report& report, std::chrono::seconds utc_offset) {
  const auto time = [&](WallTime at) { return local_time(at, utc_offset); };
  const account::DeviceUse& total = report.total;
  std::string text = fmt::format("=== GPU Usage ===\n\n{} to {} ({}{})\n", time(report.from), time(report.to),
                                 harmless(report.host), origin_of(report));
  text += fmt::format("  Held: {} of {} GPU-hours\n", amount(total.held_seconds / kHour),
                      amount(total.watched_seconds / kHour));
  const auto joules = measured(total.joules, total.joules_unknown_seconds, total.watched_seconds);
  text += fmt::format("  Energy: {}\n", joules ? energy_with_cost(*joules, report.tariff) : "not measured");
  if (total.free.joules > 0) {
    text += fmt::format("  Of it while nobody was on a GPU: {}\n", energy_with_cost(total.free.joules, report.tariff));
  }
  text += fmt::format("  Alerts: {}\n", report.alerts.size());
  text += "\nBy GPU:\n";
  for (const DeviceRow& row : report.devices) text += device_line(row, report.tariff);
  text += party_lines("By User", report.users, "no name is known", report.tariff);
  text += party_lines("By Service", report.services, "of no service", report.tariff);
  text += hoarder_lines(report);
  text += "\nWhat Stands Out:\n";
  for (const Advice& each : report.advice) {
    text += fmt::format("  {} {}\n", each.weight == Advice::Weight::bad ? "!" : "-", harmless(each.sentence));
  }
  if (report.advice.empty()) text += "  Nothing.\n";
  if (report.unknowns.empty()) return text;
  text += "\nNot Known:\n";
  for (const std::string& sentence : report.unknowns) text += fmt::format("  - {}\n", harmless(sentence));
  return text;
}

}  // namespace gpukeeper::report
