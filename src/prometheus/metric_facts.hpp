#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faults/fault_journal.hpp"
#include "prometheus/operations.hpp"
#include "prometheus/self_figures.hpp"
#include "telemetry/export_status.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// How one place where alerts are sent does.
struct SinkFigures {
  std::string name;
  std::uint64_t sent = 0;
  std::uint64_t waiting = 0;
  std::uint64_t dropped = 0;
};

/// What metrics are made of, as of one moment.
struct MetricFacts {
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();  ///< never null
  std::shared_ptr<const FaultList> faults = std::make_shared<const FaultList>();  ///< never null
  std::string version = {};                                                       ///< of gpukeeper
  std::string prefix = "entrenar";
  std::string service_name = "gpu-optimizer";
  std::vector<std::string> services = {};  ///< whose requests for memory are expected: they have series from the start
  OperationBook::Sums operations = {};
  SelfFigures self = {};
  std::vector<SinkFigures> sinks = {};
  std::vector<ExportStatus> exports = {};
  std::vector<std::pair<std::string, std::uint64_t>> queues = {};  ///< work that waits, by the name of who will do it
  std::uint64_t failed_steps = 0;                                  ///< EngineTrouble
  std::uint64_t event_clients = 0;                                 ///< that listen to events over HTTP
};

}  // namespace gpukeeper::prometheus
