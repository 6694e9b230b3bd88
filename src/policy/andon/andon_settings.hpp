#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper {

/// What an operator changes of a built-in rule; what is absent stays as the rule table has it. Of several changes of
/// one rule that fit a device, the later wins, value by value.
struct RuleChange {
  std::string rule;                  ///< its id: "thermal"
  std::vector<std::string> devices;  ///< globs for UUID, PCI address, name or index; empty: all
  std::optional<bool> enabled;
  std::optional<double> warning;                    ///< in the rule's unit
  std::optional<double> critical;                   ///< in the rule's unit
  std::optional<std::chrono::nanoseconds> sustain;  ///< before it fires; the critical border waits no longer than this
  std::optional<double> clear;                      ///< how far back behind a border it ends, in the rule's unit
  std::optional<std::chrono::nanoseconds> repeat;   ///< how often one that lasts is told again; zero: once

  friend bool operator==(const RuleChange&, const RuleChange&) = default;
};

enum class Comparison { above, at_least, below, at_most };

/// ">", ">=", "<", "<=".
std::string_view to_string(Comparison comparison);
std::optional<Comparison> parse_comparison(std::string_view sign);

/// A rule of an operator's own: a metric crosses a border for some time.
struct UserRule {
  std::string id;  ///< small letters, digits and underscores
  std::string
      metric;  ///< of the metric table, one that is a number: "power_watts"; of a process kProcessMemory or kProcessUse
  std::string process;  ///< a glob for names: the rule is about each of these processes, by itself; empty: the device
  Comparison comparison = Comparison::above;
  double threshold = 0;
  std::optional<double> critical;                           ///< a second border, behind the first
  std::chrono::nanoseconds duration{0};                     ///< how long the border must be crossed
  double clear = 0;                                         ///< how far back behind the border it ends
  std::chrono::nanoseconds repeat = std::chrono::hours(4);  ///< zero: told once
  int severity = 60;                                        ///< 0 to 100; level_of() says what it comes to
  std::string message;  ///< may hold {gpu}, {name}, {value}, {threshold} and {process}; empty: made of these
  std::string remedy;
  std::vector<std::string> devices;  ///< globs as in RuleChange; empty: all

  friend bool operator==(const UserRule&, const UserRule&) = default;
};

/// What is told of processes, too, by the metrics' names.
inline constexpr std::string_view kProcessMemory = "memory_used_bytes";  ///< of the device's, held by it
inline constexpr std::string_view kProcessUse = "utilization_percent";   ///< by it

/// Alerts that are never told and do not colour a lamp, as long as this stands in the configuration.
struct StandingSilence {
  std::string rule = "*";           ///< a glob for rule ids
  std::string device = "*";         ///< a glob for UUID, PCI address, name or index
  std::optional<AlertLevel> level;  ///< nothing: any
  std::string comment;

  friend bool operator==(const StandingSilence&, const StandingSilence&) = default;
};

/// What may be set of the alerts: the section `alerts` of the configuration.
struct AndonSettings {
  std::vector<RuleChange> rules;
  std::vector<UserRule> user_rules;
  /// The severity of an idle GPU comes to no more than this: by its formula a minute of idleness scores 90, above a GPU
  /// of 110 °C, and a notebook left open over night is no emergency.
  int idle_severity_cap = 70;
  /// Who holds less of a GPU's memory than this does not hoard it: a desktop, a monitor.
  Percent hoarding_memory{10};
  std::vector<StandingSilence> silences;
  /// Where docs/alerts.md can be read: an alert links to its rule's section there. Empty: its path is all it names,
  /// which no receiver takes for an address.
  std::string documentation_url;

  friend bool operator==(const AndonSettings&, const AndonSettings&) = default;
};

/// What is wrong with them, a sentence each that names key, value and what would be right:
/// "alerts.rules.thermal.critical = 70: it must not be below warning, which is 80". Empty when all is well.
std::vector<std::string> check(const AndonSettings& settings);

/// The level that a severity comes to: critical from 80 on (as the documented has_critical_alerts has it), warning from
/// 40 on, else info.
AlertLevel level_of(int severity);

}  // namespace gpukeeper
