#pragma once

#include <span>
#include <string>
#include <string_view>

#include "device/metric_table.hpp"
#include "prometheus/exposition.hpp"

namespace gpukeeper::prometheus {

/// How a row of the metric table stands among our own metrics.
struct DeviceMetric {
  enum class Form {
    number,   ///< a line whose value is the row's, in the base unit
    flag,     ///< a line whose value is 1 or 0
    text,     ///< a line whose value is 1 and whose label is the text
    reasons,  ///< a line for each reason for low clocks there is, 1 or 0
    fact,     ///< none: a label of gpukeeper_gpu_info
  };
  const MetricRow* row;
  Form form;
  double multiply;  ///< into the base unit: megahertz become hertz …
  double divide;    ///< … and percent ratios: divided by 100, 29 is 0.29
  Family family;    ///< "gpukeeper_fan_ratio"; of a fact that of the info
};

/// Every row of the metric table, in its order.
std::span<const DeviceMetric> device_metrics();

/// The name alone, for documentation.
std::string_view metric_name(const MetricRow& row);

}  // namespace gpukeeper::prometheus
