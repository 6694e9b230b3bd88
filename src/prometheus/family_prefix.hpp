#pragma once

#include <string>
#include <vector>

#include "prometheus/exposition.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// The documented metrics of a training monitor, which bear its name as their prefix (contract 1.4.6):
/// entrenar_gpu_temperature_celsius{device="0"} and three others. Utilization stands under both names that it has
/// there.
class FamilyByPrefix {
 public:
  explicit FamilyByPrefix(const std::string& prefix);

  void write(Exposition& out, const Snapshot& snapshot) const;

 private:
  struct Row;
  static const std::vector<Row>& rows();
  std::vector<Family> families_;  // in the order of the rows
};

}  // namespace gpukeeper::prometheus
