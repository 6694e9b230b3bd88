#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "prometheus/exposition.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// The documented metrics of a training monitor, which bear its name as their prefix (contract 1.4.6):
/// entrenar_gpu_temperature_celsius{device="0"} and three others. Utilization stands under both names that it has
/// there.
class FamilyByPrefix {
 public:
  struct Row {
    std::string_view name;  ///< behind the prefix
    std::string_view unit;  ///< of OpenMetrics
    std::string_view help;
    Metric<double> (*value)(const Reading&);
  };
  static const std::vector<Row>& rows();

  explicit FamilyByPrefix(const std::string& prefix);

  /// `labels`: as add_label() made them; on every line before the device's.
  void write(Exposition& out, const Snapshot& snapshot, std::string_view labels = {}) const;

 private:
  std::vector<Family> families_;  // in the order of the rows
};

}  // namespace gpukeeper::prometheus
