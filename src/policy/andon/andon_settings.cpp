#include "policy/andon/andon_settings.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/glob.hpp"
#include "core/nearest.hpp"
#include "device/metric_table.hpp"
#include "policy/andon/rule_table.hpp"

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kMostUserRules = 100;
constexpr std::size_t kMostSilences = 1000;
constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kLongestUrl = 900;  // with a rule behind it no sink cuts it off
constexpr nanoseconds kLongestSustain = std::chrono::hours(24 * 7);
constexpr nanoseconds kShortestRepeat = std::chrono::seconds(10);
constexpr nanoseconds kLongestRepeat = std::chrono::hours(24 * 365);

std::string quoted(std::string_view text) {
  return fmt::format("'{}'", fit(harmless(text), 60));
}

// Collects complaints about one rule or silence, whose place in the configuration is `key`.
class Complaints {
 public:
  Complaints(std::vector<std::string>& all, std::string key) : all_(all), key_(std::move(key)) {}

  void about(std::string_view member, std::string_view value, std::string_view sentence) {
    all_.push_back(fmt::format("{}{}{} = {}: {}", key_, member.empty() ? "" : ".", member, value, sentence));
  }
  void about(std::string_view member, double value, std::string_view sentence) {
    about(member, fmt::format("{}", value), sentence);
  }

  void border(std::string_view member, std::optional<double> value, std::string_view unit) {
    const double highest = unit == "%" ? 100 : unit == "°C" ? 150 : 1e15;
    if (!value || (*value >= 0 && *value <= highest)) return;  // NaN too is outside
    if (unit == "%" || unit == "°C") {
      about(member, *value, fmt::format("it must be from 0 to {} {}", highest, unit));
    } else {
      about(member, *value, "it must be a number from 0");
    }
  }
  void clear(std::optional<double> value) {
    if (value && !(*value >= 0 && std::isfinite(*value))) about("clear", *value, "it must be a number from 0");
  }
  void sustain(std::string_view member, std::optional<nanoseconds> value) {
    if (value && (*value < nanoseconds::zero() || *value > kLongestSustain)) {
      about(member, seconds(*value), "it must be from 0 to 7 days");
    }
  }
  void repeat(std::optional<nanoseconds> value) {
    if (!value || *value == nanoseconds::zero() || (*value >= kShortestRepeat && *value <= kLongestRepeat)) return;
    about("repeat", seconds(*value), "it must be 0 (told once), or from 10 seconds to 365 days");
  }
  void text(std::string_view member, std::string_view value) {
    if (value.size() > kLongestText) {
      about(member, quoted(value), fmt::format("it must have at most {} bytes", kLongestText));
    }
  }
  void patterns(std::string_view member, const std::vector<std::string>& values) {
    for (const std::string& each : values) {
      if (each.empty()) about(member, "''", "a pattern must not be empty; * is every device");
      text(member, each);
    }
  }

 private:
  static std::string seconds(nanoseconds time) {
    return fmt::format("{} s", std::chrono::duration<double>(time).count());
  }

  std::vector<std::string>& all_;
  std::string key_;
};

void check_change(const RuleChange& change, std::vector<std::string>& all) {
  const Rule* rule = find_rule(change.rule);
  if (!rule) {
    all.push_back(fmt::format("alerts.rules.{}: {}", harmless(change.rule), no_such_rule(change.rule)));
    return;
  }
  Complaints complaints(all, fmt::format("alerts.rules.{}", change.rule));
  if (change.warning && !rule->limits.warning) {
    complaints.about("warning", *change.warning, "this rule has no border to set");
    return;
  }
  if (change.critical && !rule->limits.warning) {
    complaints.about("critical", *change.critical, "this rule has no border to set");
    return;
  }
  complaints.border("warning", change.warning, rule->unit);
  complaints.border("critical", change.critical, rule->unit);
  complaints.clear(change.clear);
  complaints.sustain("sustain", change.sustain);
  complaints.repeat(change.repeat);
  complaints.patterns("devices", change.devices);
  const auto warning = change.warning ? change.warning : rule->limits.warning;
  const auto critical = change.critical ? change.critical : rule->limits.critical;
  if (!warning || !critical || !(*critical < *warning)) return;
  if (change.critical) {
    complaints.about("critical", *critical, fmt::format("it must not be below warning, which is {}", *warning));
  } else {
    complaints.about("warning", *warning, fmt::format("it must not be above critical, which is {}", *critical));
  }
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 &&
         std::ranges::all_of(id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void check_metric(const UserRule& rule, Complaints& complaints) {
  if (!rule.process.empty()) {
    if (rule.metric == kProcessMemory || rule.metric == kProcessUse) return;
    complaints.about("metric", quoted(rule.metric),
                     fmt::format("of a process there are {} and {}", kProcessMemory, kProcessUse));
    return;
  }
  const MetricRow* row = find_metric(rule.metric);
  if (!row) {
    std::vector<std::string_view> names;
    for (const MetricRow& each : metric_table()) names.push_back(each.name);
    const std::string_view near = nearest(rule.metric, names);
    complaints.about("metric", quoted(rule.metric),
                     near.empty() ? "there is no such metric; gpukeeper metrics lists them"
                                  : fmt::format("there is no such metric; did you mean {}?", near));
  } else if (row->type == MetricType::info) {
    complaints.about("metric", quoted(rule.metric), "it is a text or a yes/no, and only numbers can be compared");
  }
}

void check_user_rule(const UserRule& rule, std::set<std::string>& ids, std::vector<std::string>& all) {
  if (!is_id(rule.id)) {
    all.push_back(fmt::format("alerts.user_rules.id = {}: it must be 1 to 64 small letters, digits and underscores",
                              quoted(rule.id)));
    return;
  }
  Complaints complaints(all, fmt::format("alerts.user_rules.{}", rule.id));
  if (find_rule(rule.id)) complaints.about("id", quoted(rule.id), "a built-in rule has that id; choose another");
  if (!ids.insert(rule.id).second) complaints.about("id", quoted(rule.id), "there are two rules with that id");
  check_metric(rule, complaints);
  complaints.text("process", rule.process);
  if (!std::isfinite(rule.threshold)) complaints.about("threshold", rule.threshold, "it must be a number");
  if (rule.critical && !std::isfinite(*rule.critical)) {
    complaints.about("critical", *rule.critical, "it must be a number");
  } else if (rule.critical) {
    const bool upward = rule.comparison == Comparison::above || rule.comparison == Comparison::at_least;
    if (upward ? *rule.critical < rule.threshold : *rule.critical > rule.threshold) {
      complaints.about(
          "critical", *rule.critical,
          fmt::format("it must not be {} threshold, which is {}", upward ? "below" : "above", rule.threshold));
    }
  }
  complaints.sustain("duration", rule.duration);
  complaints.clear(rule.clear);
  complaints.repeat(rule.repeat);
  if (rule.severity < 0 || rule.severity > 100) {
    complaints.about("severity", rule.severity, "it must be from 0 to 100");
  }
  complaints.text("message", rule.message);
  complaints.text("remedy", rule.remedy);
  complaints.patterns("devices", rule.devices);
}

void check_silence(const StandingSilence& silence, const std::vector<UserRule>& user_rules,
                   std::vector<std::string>& all) {
  Complaints complaints(all, "alerts.silences");
  const bool fits_one =
      std::ranges::any_of(rule_table(), [&](const Rule& rule) { return fits(silence.rule, rule.id); }) ||
      std::ranges::any_of(user_rules, [&](const UserRule& rule) { return fits(silence.rule, rule.id); });
  if (!fits_one) complaints.about("rule", quoted(silence.rule), no_such_rule(silence.rule));
  complaints.patterns("device", {silence.device});
  complaints.text("comment", silence.comment);
}

// An address to which "#thermal" can be added.
bool is_page(std::string_view url) {
  const std::string_view rest = url.starts_with("https://")  ? url.substr(8)
                                : url.starts_with("http://") ? url.substr(7)
                                                             : std::string_view();
  return !rest.empty() && url.size() <= kLongestUrl &&
         std::ranges::none_of(rest, [](char c) { return c <= ' ' || c > '~' || c == '#'; });
}

}  // namespace

std::string_view to_string(Comparison comparison) {
  switch (comparison) {
    case Comparison::above: return ">";
    case Comparison::at_least: return ">=";
    case Comparison::below: return "<";
    case Comparison::at_most: return "<=";
  }
  return ">";
}

std::optional<Comparison> parse_comparison(std::string_view sign) {
  using enum Comparison;
  for (const auto comparison : {above, at_least, below, at_most}) {
    if (sign == to_string(comparison)) return comparison;
  }
  return std::nullopt;
}

std::vector<std::string> check(const AndonSettings& settings) {
  std::vector<std::string> all;
  for (const RuleChange& change : settings.rules) check_change(change, all);
  std::set<std::string> ids;
  for (const UserRule& rule : settings.user_rules) check_user_rule(rule, ids, all);
  if (settings.user_rules.size() > kMostUserRules) {
    all.push_back(fmt::format("alerts.user_rules: there are {}; there may be at most {}", settings.user_rules.size(),
                              kMostUserRules));
  }
  if (settings.idle_severity_cap < 0 || settings.idle_severity_cap > 100) {
    all.push_back(fmt::format("alerts.idle_severity_cap = {}: it must be from 0 to 100", settings.idle_severity_cap));
  }
  if (!(settings.hoarding_memory >= Percent(0) && settings.hoarding_memory <= Percent(100))) {
    all.push_back(
        fmt::format("alerts.hoarding_memory = {}: it must be from 0 to 100 %", settings.hoarding_memory.value()));
  }
  if (!settings.documentation_url.empty() && !is_page(settings.documentation_url)) {
    all.push_back(
        fmt::format("alerts.documentation_url = '{}': it must begin with http:// or https:// and have no blank "
                    "and no #; each rule's section is added",
                    harmless(settings.documentation_url)));
  }
  for (const StandingSilence& silence : settings.silences) check_silence(silence, settings.user_rules, all);
  if (settings.silences.size() > kMostSilences) {
    all.push_back(
        fmt::format("alerts.silences: there are {}; there may be at most {}", settings.silences.size(), kMostSilences));
  }
  return all;
}

AlertLevel level_of(int severity) {
  if (severity >= 80) return AlertLevel::critical;
  return severity >= 40 ? AlertLevel::warning : AlertLevel::info;
}

}  // namespace gpukeeper
