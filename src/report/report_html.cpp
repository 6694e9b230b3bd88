#include "report/report_html.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "format/human.hpp"
#include "report/figures.hpp"
#include "report/html_table.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"
#include "report/report_charts.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

constexpr double kHour = 3600;
constexpr std::string_view kAbsent = "–";

// What a report says of itself wherever it is shown.
std::string origin_of(const Report& report) {
  if (report.simulated && report.recorded) return "Simulated, and recorded";
  if (report.simulated) return "Simulated";
  return report.recorded ? "Recorded" : "";
}

std::string origin_sentence(const Report& report) {
  if (report.simulated)
    return "These GPUs are made up by a scenario. No such hardware was there, and nobody paid for this energy.";
  if (report.recorded) return "This was played from a recording.";
  return "";
}

std::string optional_amount(const std::optional<double>& value, std::string_view unit = "") {
  return value ? amount(*value) + std::string(unit) : std::string(kAbsent);
}

std::string memory_text(const std::optional<double>& bytes) {
  return bytes ? size_text(static_cast<std::uint64_t>(*bytes)) : std::string(kAbsent);
}

class ReportPage {
 public:
  ReportPage(const Report& report, std::chrono::seconds utc_offset) : report_(report), utc_offset_(utc_offset) {}

  std::string write() {
    add_head();
    add_tiles();
    add_advice();
    add_energy();
    add_use();
    add_parties("Users", "user", report_.users, "No name is known");
    add_parties("Services", "service", report_.services, "Of no service");
    add_other_parties();
    add_hoarders();
    add_devices();
    add_leases();
    add_alerts();
    add_faults();
    add_method();
    return page(fmt::format("GPU report of {}", report_.host), body_);
  }

 private:
  std::string time(WallTime at) const { return local_time(at, utc_offset_).substr(0, 16); }

  std::string zone() const {
    const auto minutes = std::chrono::floor<std::chrono::minutes>(utc_offset_).count();
    return minutes == 0 ? "UTC" : fmt::format("UTC{:+03d}:{:02d}", minutes / 60, std::abs(minutes) % 60);
  }

  void heading(std::string_view text) { body_ += fmt::format("<h2>{}</h2>\n", escaped(text)); }
  void paragraph(std::string_view text, std::string_view classes = "") {
    body_ += fmt::format("<p{}>{}</p>\n", classes.empty() ? "" : fmt::format(" class=\"{}\"", classes), escaped(text));
  }

  void add_head() {
    body_ += fmt::format("<h1>GPU report</h1>\n<p class=\"soft\">{} · {} to {} ({})</p>\n", escaped(report_.host),
                         time(report_.from), time(report_.to), zone());
    if (const std::string origin = origin_of(report_); !origin.empty()) {
      body_ += fmt::format("<p><span class=\"label\">{}</span> {}</p>\n", origin, origin_sentence(report_));
    }
  }

  void tile(std::string_view number, std::string_view what) {
    body_ += fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escaped(number), escaped(what));
  }

  void add_tiles() {
    const account::DeviceUse& total = report_.total;
    body_ += "<div class=\"tiles\">\n";
    tile(fmt::format("{} h", amount(total.held_seconds / kHour)),
         fmt::format("GPU-hours held, of {} watched on {} GPU{}", amount(total.watched_seconds / kHour),
                     report_.devices.size(), report_.devices.size() == 1 ? "" : "s"));
    const auto use = average_use(total);
    tile(optional_amount(use, " %"), "use on average");
    const bool powered = measured(0, total.joules_unknown_seconds, total.watched_seconds).has_value();
    tile(powered ? energy_text(total.joules) : std::string(kAbsent),
         powered ? "energy" : "energy: no power was measured");
    if (const auto money = cost(total.joules, report_.tariff); money && powered) {
      tile(fmt::format("{} {}", amount(*money), report_.tariff.currency),
           fmt::format("cost, at {} a kWh", *report_.tariff.price_per_kwh));
    }
    if (const auto carbon = carbon_kg(total.joules, report_.tariff); carbon && powered) {
      tile(fmt::format("{} kg", amount(*carbon)), fmt::format("CO₂, at {} g a kWh", *report_.tariff.carbon_g_per_kwh));
    }
    tile(total.celsius ? fmt::format("{:.0f} °C", total.celsius->value) : std::string(kAbsent),
         total.celsius ? fmt::format("the hottest, at {}", time(total.celsius->at)) : "no temperature was told");
    tile(measured(0, total.slowed_unknown_seconds, total.watched_seconds) ? hours_text(total.slowed_seconds)
                                                                          : std::string(kAbsent),
         "GPU time held back by heat, power or others");
    const auto grave =
        std::ranges::count_if(report_.alerts, [](const Alert& a) { return a.level != AlertLevel::info; });
    tile(std::to_string(grave), grave == 1 ? "warning or critical alert" : "warnings and critical alerts");
    body_ += "</div>\n";
  }

  void add_advice() {
    heading("What stands out");
    if (report_.advice.empty())
      paragraph("Nothing: no waste that is worth a word, and nothing was held back for long.");
    list(report_.advice);
    if (report_.unknowns.empty()) return;
    heading("What is not known");
    body_ += "<ul>\n";
    for (const std::string& sentence : report_.unknowns) {
      body_ += fmt::format("<li><b class=\"soft\">– unknown</b>{}</li>\n", escaped(sentence));
    }
    body_ += "</ul>\n";
  }

  void list(const std::vector<Advice>& advice) {
    if (advice.empty()) return;
    body_ += "<ul>\n";
    for (const Advice& each : advice) {
      const bool bad = each.weight == Advice::Weight::bad;
      body_ += fmt::format("<li><b class=\"{}\">{}</b>{}</li>\n", bad ? "bad" : "notice", bad ? "▲ look" : "● note",
                           escaped(each.sentence));
    }
    body_ += "</ul>\n";
  }

  void add_energy() {
    heading("Energy");
    body_ += "<div class=\"part\">" + draw(energy_chart(report_, utc_offset_)) + "</div>\n";
  }

  void add_use() {
    heading("Use of every GPU");
    body_ += "<div class=\"part\">" + draw(use_chart(report_, utc_offset_)) + "</div>\n";
    HtmlTable table({{"GPU"},
                     {"held", true},
                     {"use", true},
                     {"energy", true},
                     {"cost", true},
                     {"CO₂", true},
                     {"hottest", true},
                     {"most power", true},
                     {"most memory", true},
                     {"held back", true}});
    table.leave_out("cost", !report_.tariff.price_per_kwh);
    table.leave_out("CO₂", !report_.tariff.carbon_g_per_kwh);
    for (const DeviceRow& row : report_.devices) {
      const account::DeviceUse& use = row.use;
      const auto joules = measured(use.joules, use.joules_unknown_seconds, use.watched_seconds);
      const auto held = measured(use.held_seconds, use.held_unknown_seconds, use.watched_seconds);
      const auto slowed = measured(use.slowed_seconds, use.slowed_unknown_seconds, use.watched_seconds);
      table.add({fmt::format("{} · {}", row.device.index, row.device.name),
                 held ? hours_text(*held) : std::string(kAbsent), optional_amount(average_use(use), " %"),
                 joules ? energy_text(*joules) : std::string(kAbsent),
                 optional_amount(joules ? cost(*joules, report_.tariff) : std::nullopt, " " + report_.tariff.currency),
                 optional_amount(joules ? carbon_kg(*joules, report_.tariff) : std::nullopt, " kg"),
                 use.celsius ? fmt::format("{:.0f} °C", use.celsius->value) : std::string(kAbsent),
                 use.watts ? fmt::format("{:.0f} W", use.watts->value) : std::string(kAbsent),
                 memory_text(use.bytes ? std::optional(use.bytes->value) : std::nullopt),
                 slowed ? hours_text(*slowed) : std::string(kAbsent)});
    }
    body_ += table.write();
  }

  std::string party_table(std::string_view what, const std::vector<PartyRow>& rows, std::string_view nameless) const {
    HtmlTable table({{std::string(what)},
                     {"GPU-hours", true},
                     {"of these used", true},
                     {"idle", true},
                     {"memory", true},
                     {"energy", true},
                     {"share of it", true},
                     {"cost", true},
                     {"CO₂", true}});
    table.leave_out("cost", !report_.tariff.price_per_kwh);
    table.leave_out("CO₂", !report_.tariff.carbon_g_per_kwh);
    for (const PartyRow& row : rows) {
      const account::Usage& usage = row.usage;
      const auto joules = measured(usage.joules, usage.joules_unknown_seconds, usage.gpu_seconds);
      const auto busy = measured(usage.busy_seconds, usage.busy_unknown_seconds, usage.gpu_seconds);
      const auto idle = measured(usage.idle_seconds, usage.busy_unknown_seconds, usage.gpu_seconds);
      const bool memory = usage.byte_seconds > 0 || usage.byte_unknown_seconds <= 0;
      table.add({row.name.empty() ? std::string(nameless) : row.name, amount(usage.gpu_seconds / kHour),
                 busy ? amount(*busy / kHour) : std::string(kAbsent),
                 idle ? amount(*idle / kHour) : std::string(kAbsent),
                 memory ? amount(usage.byte_seconds / kHour / (1 << 30)) + " GiB h" : std::string(kAbsent),
                 joules ? energy_text(*joules) : std::string(kAbsent),
                 joules ? share_text(*joules, report_.total.joules) : std::string(kAbsent),
                 optional_amount(joules ? cost(*joules, report_.tariff) : std::nullopt, " " + report_.tariff.currency),
                 optional_amount(joules ? carbon_kg(*joules, report_.tariff) : std::nullopt, " kg")});
    }
    return table.write();
  }

  void add_parties(std::string_view title, std::string_view what, const std::vector<PartyRow>& rows,
                   std::string_view nameless) {
    heading(title);
    if (rows.empty()) return paragraph("No process was on a GPU in that time, or none could be listed.");
    body_ += party_table(what, rows, nameless);
    const double nobody = report_.total.free.joules;
    if (nobody > 0) {
      paragraph(fmt::format("While nobody was on them, GPUs drew {} more: that is nobody's.",
                            energy_with_cost(nobody, report_.tariff)),
                "soft");
    }
  }

  void add_other_parties() {
    const auto add = [&](std::string_view what, std::string_view plural, const std::vector<PartyRow>& rows) {
      if (rows.empty()) return;
      body_ += fmt::format("<details open><summary>By {}: {} {}</summary>{}</details>\n", what, rows.size(), plural,
                           party_table(what, rows, ""));
    };
    add("container", report_.containers.size() == 1 ? "container" : "containers", report_.containers);
    add("pod", report_.pods.size() == 1 ? "pod" : "pods", report_.pods);
    add("job", report_.jobs.size() == 1 ? "job" : "jobs", report_.jobs);
    add("lease", report_.by_lease.size() == 1 ? "lease" : "leases", report_.by_lease);
  }

  void add_hoarders() {
    if (report_.hoarders.empty()) return;
    heading("Memory held without use");
    HtmlTable table({{"who"}, {"GPU", true}, {"for", true}, {"memory", true}});
    for (const HoarderRow& row : report_.hoarders) {
      table.add({hoarder_name(row.party), std::to_string(row.index), hours_text(row.usage.hoarded_seconds),
                 amount(row.usage.hoarded_byte_seconds / kHour / (1 << 30)) + " GiB h"});
    }
    body_ += table.write();
  }

  void add_devices() {
    heading("GPU by GPU");
    for (const DeviceRow& row : report_.devices) {
      body_ += fmt::format(
          "<div class=\"card part\"><h3>GPU {} · {}</h3>\n<div class=\"pair\">\n<div>{}</div>\n<div>{}</div>\n"
          "</div></div>\n",
          row.device.index, escaped(row.device.name), draw(temperature_chart(report_, row, utc_offset_)),
          draw(power_chart(report_, row, utc_offset_)));
    }
  }

  void add_leases() {
    heading("Leases");
    if (report_.leases.empty()) {
      return paragraph(report_.basis == Basis::recording ? "A recording holds no leases."
                                                         : "No lease was held in that time.");
    }
    HtmlTable table({{"lease"},
                     {"service"},
                     {"user"},
                     {"GPU", true},
                     {"held", true},
                     {"booked", true},
                     {"most that was used", true},
                     {""}});
    for (const LeaseFacts& lease : report_.leases) {
      table.add({lease.id, lease.service, lease.user.empty() ? std::string(kAbsent) : lease.user,
                 lease.index ? std::to_string(*lease.index) : std::string(kAbsent),
                 hours_text(held_seconds(lease, report_.from, report_.to)), memory_text(lease.booked_bytes),
                 lease.observed ? memory_text(lease.peak_bytes) : std::string(kAbsent),
                 is_underused(lease, report_.from, report_.to) ? "hardly used" : ""});
    }
    body_ += table.write();
  }

  // Those of a level, the latest first.
  std::string alert_table(const std::vector<const Alert*>& alerts) const {
    constexpr std::size_t kMost = 100;
    HtmlTable table({{"raised", false, true}, {"over", false, true}, {"level"}, {"GPU", true}, {"what"}});
    for (std::size_t i = 0; i < std::min(kMost, alerts.size()); ++i) {
      const Alert& alert = *alerts[i];
      table.add({time(*alert.fired_at), alert.resolved_at ? time(*alert.resolved_at) : "not yet",
                 std::string(to_string(alert.level)),
                 alert.device_index ? std::to_string(*alert.device_index) : std::string(kAbsent), alert.message});
    }
    const std::string rest =
        alerts.size() <= kMost
            ? ""
            : fmt::format("<p>{} earlier ones are left out here; the JSON form has them.</p>\n", alerts.size() - kMost);
    return table.write() + rest;
  }

  void add_alerts() {
    heading("Alerts");
    std::vector<const Alert*> grave, slight;
    for (const Alert& alert : report_.alerts) (alert.level == AlertLevel::info ? slight : grave).push_back(&alert);
    std::ranges::stable_sort(grave, std::ranges::greater(), [](const Alert* alert) { return alert->level; });
    if (grave.empty()) paragraph("No alert was raised in that time.");
    if (!grave.empty()) body_ += alert_table(grave);
    if (slight.empty()) return;
    body_ += fmt::format("<details><summary>And {} for information</summary>{}</details>\n", slight.size(),
                         alert_table(slight));
  }

  void add_faults() {
    heading("Faults");
    if (report_.faults.empty()) return paragraph("No fault was reported in that time.");
    HtmlTable table({{"what"}, {"severity"}, {"GPU", true}, {"times", true}});
    for (const FaultRow& fault : report_.faults) {
      table.add({fault.title, std::string(to_string(fault.severity)),
                 fault.index ? std::to_string(*fault.index) : std::string(kAbsent), std::to_string(fault.count)});
    }
    body_ += table.write();
  }

  void add_method() {
    heading("How this was counted");
    paragraph(
        "A reading speaks for the time until the next one. Energy is what the board itself has counted where it does, "
        "else its power times the time. What was not measured is in no sum, and said above: it is not zero.");
    paragraph(
        "Each moment of a GPU, with its energy, is divided among the processes on it in proportion to the use that "
        "the driver measured of each; where that is not told, or none of them works, in proportion to the memory "
        "that they hold; where that is not told either, evenly. A GPU on which nobody is counts for nobody.");
    const account::Division& division = report_.division;
    const double shared = division.by_use_seconds + division.by_memory_seconds + division.evenly_seconds;
    if (shared > 0) {
      paragraph(
          fmt::format("Of {} in which several processes shared a GPU, {} was divided by measured use, {} by memory, {} "
                      "evenly.",
                      hours_text(shared), share_text(division.by_use_seconds, shared),
                      share_text(division.by_memory_seconds, shared), share_text(division.evenly_seconds, shared)));
    }
    paragraph(
        "GPU-hours are hours in which somebody's process was on the GPU; used are these times the measured use. Idle "
        "are "
        "hours in which a GPU did nothing (below 5 %) while a process held a GiB of it or more. A service is that of "
        "the "
        "lease, else the systemd unit, the Slurm job, the pod or the container.");
    paragraph(fmt::format("Basis: {}.", report_.basis == Basis::daemon       ? "the account that gpukeeper serve keeps"
                                        : report_.basis == Basis::recording  ? "a recording, played"
                                        : report_.basis == Basis::simulation ? "a simulated machine's time, played"
                                                                             : "what this command itself has watched"),
              "soft");
  }

  const Report& report_;
  const std::chrono::seconds utc_offset_;
  std::string body_;
};

}  // namespace

std::string report_html(const Report& report, std::chrono::seconds utc_offset) {
  return ReportPage(report, utc_offset).write();
}

}  // namespace gpukeeper::report
