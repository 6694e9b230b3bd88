#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "device/device.hpp"
#include "device/metric_table.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// What a metric's value is made of, for reading it out of a scenario.
enum class FieldKind { number, whole, flag, text, throttle_reasons };

/// One metric of Reading, settable by its name in the metric table.
struct MetricField {
  std::string_view name;
  FieldKind kind;
  double min = 0;  ///< of a number
  double max = 0;
  /// Sets it, or its absence. The value is of the field's kind; a number stands for a whole one too, rounded, and
  /// numbers are brought between min and max.
  void (*set)(Reading&, const Metric<MetricValue>&);
};

/// Every metric of the metric table that a Reading holds, in the same order.
std::span<const MetricField> metric_fields();
const MetricField* find_metric_field(std::string_view name);

/// One fact of Device that can be absent and that a scenario may give, under its name in the JSON of `devices`.
struct FactField {
  std::string_view name;
  FieldKind kind;  ///< text or whole
  void (*set)(Device&, const Metric<MetricValue>&);
};

std::span<const FactField> fact_fields();
const FactField* find_fact_field(std::string_view name);

/// The reasons in a text such as "software power cap, idle", or of "none"; nothing when a word is unknown.
std::optional<ThrottleReasons> parse_throttle_reasons(std::string_view text);

/// Every word that parse_throttle_reasons knows.
std::vector<std::string_view> throttle_words();

}  // namespace gpukeeper
