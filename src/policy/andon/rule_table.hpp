#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/alert.hpp"

namespace gpukeeper {

/// Where a rule's alert begins and ends. Borders are in the unit of the rule's value.
struct RuleLimits {
  bool enabled = true;
  std::optional<double> warning;                 ///< nothing: the rule has a condition, not a border
  std::optional<double> critical;                ///< nothing: it never becomes critical by its value
  std::chrono::nanoseconds sustain{0};           ///< how long the first border must be crossed before it fires
  std::chrono::nanoseconds sustain_critical{0};  ///< and the second
  double clear = 0;                              ///< how far back behind a border the value must go to end it
  std::chrono::nanoseconds clear_after{0};       ///< and how long its condition must be over
  std::chrono::nanoseconds repeat{0};            ///< how often one that lasts is told again; zero: once

  friend bool operator==(const RuleLimits&, const RuleLimits&) = default;
};

struct Scene;
struct Sign;

/// Looks for what a rule is about, and adds a sign for each thing that it finds. Whether it could tell: false where
/// what it needs to know is not known; then what was found before is kept.
using See = bool (*)(const Scene& scene, std::vector<Sign>& signs);

/// A rule that every gpukeeper has: a row of the table.
struct Rule {
  std::string_view id;         ///< in configuration, JSON and links; never changes its meaning
  std::string_view title;      ///< "GPU temperature"
  std::string_view condition;  ///< when it fires, in words: docs/alerts.md and `gpukeeper alerts rules`
  std::string_view unit;       ///< of its value and borders: "°C", "%", "s"; empty where it has none
  AlertLevel level;            ///< at the first border, or of the condition
  RuleLimits limits;
  std::string_view remedy;      ///< what a person can do
  See of_device = nullptr;      ///< null: it is not about single devices
  See of_machine = nullptr;     ///< null: it is not about the machine as a whole
  bool of_unavailable = false;  ///< it can tell of a device that cannot be read, too
  bool of_partition = false;    ///< it judges a device's partitions, too, each by itself
};

/// All built-in rules, in the order of outputs.
std::span<const Rule> rule_table();

/// Null when there is none.
const Rule* find_rule(std::string_view id);

/// What to say of an id that no rule has: which one was probably meant, or which there are.
std::string no_such_rule(std::string_view id);

}  // namespace gpukeeper
