#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "core/published.hpp"
#include "engine/engine.hpp"
#include "prometheus/metrics_settings.hpp"
#include "prometheus/operations.hpp"
#include "prometheus/self_figures.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What /metrics is made of beside what is seen anyway: settings and what was counted.
///
/// Threads: any.
struct MetricsDesk {
  std::function<std::shared_ptr<const prometheus::MetricsSettings>()> settings = [] {
    return std::make_shared<const prometheus::MetricsSettings>();
  };
  std::shared_ptr<prometheus::OperationBook> operations =
      std::make_shared<prometheus::OperationBook>();                                      ///< never null
  std::shared_ptr<prometheus::SelfBook> self = std::make_shared<prometheus::SelfBook>();  ///< never null
  std::shared_ptr<Published<Snapshot>> latest = std::make_shared<Published<Snapshot>>();  ///< never null
  /// Services whose requests for memory are expected.
  std::function<std::vector<std::string>()> services = [] { return std::vector<std::string>(); };
  /// Work that waits, by who will do it.
  std::function<std::vector<std::pair<std::string, std::uint64_t>>()> queues = [] {
    return std::vector<std::pair<std::string, std::uint64_t>>();
  };
  /// By which it is measured how long answers take: the machine's, whatever time is played.
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
};

/// A step of the engine, as our own operation `sample` on every GPU and for the figures of gpukeeper itself.
void note_step(const MetricsDesk& desk, const Snapshot& snapshot, const StepCost& cost);

/// What the ledger did, as our own operations `allocate` and `deallocate`, and as an allocation.
void note_served(const MetricsDesk& desk, const Bookkeeper::Served& served);

/// An operation of our own that is of no GPU: `optimize`.
void note_own(const MetricsDesk& desk, std::string operation, std::chrono::nanoseconds took);

}  // namespace gpukeeper::service
