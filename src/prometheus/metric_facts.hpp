#pragma once

#include <memory>
#include <string>

#include "faults/fault_journal.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// What metrics are made of, as of one moment.
struct MetricFacts {
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();  ///< never null
  std::shared_ptr<const FaultList> faults = std::make_shared<const FaultList>();  ///< never null
  std::string version;                                                            ///< of gpukeeper
};

}  // namespace gpukeeper::prometheus
