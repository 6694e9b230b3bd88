#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "device/device.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

enum class MetricType {
  gauge,    ///< a number that goes up and down
  counter,  ///< a number that only grows, until the driver is loaded again
  info,     ///< a text or a yes/no, for people and labels
};

std::string_view to_string(MetricType type);

/// A metric's value in its row's unit. Whole numbers stay whole (a byte count above 2^53 would not survive a double).
using MetricValue = std::variant<double, std::uint64_t, bool, std::string>;

/// One metric. JSON, CSV, the documentation, Prometheus and history all derive from these rows; nobody lists metrics a
/// second time.
struct MetricRow {
  std::string_view name;  ///< ends in its unit: "power_watts"; the key in JSON and CSV
  std::string_view unit;  ///< "watts", "bytes", "percent", …; empty for texts and plain counts
  std::string_view help;  ///< a sentence for people
  MetricType type;
  Metric<MetricValue> (*value)(const Device&, const Reading&);
};

/// Every metric, in the order of outputs.
std::span<const MetricRow> metric_table();

/// The row of that name; null when there is none.
const MetricRow* find_metric(std::string_view name);

/// A value as text, the same in CSV, tables and messages: whole numbers whole, others with at most three decimals and
/// no trailing zeros, "true"/"false".
std::string to_string(const MetricValue& value);

/// A number as double, for statistics; nothing for a text. A bool is 0 or 1.
Metric<double> to_number(const Metric<MetricValue>& value);

}  // namespace gpukeeper
