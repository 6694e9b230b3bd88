#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "prometheus/histogram.hpp"

namespace gpukeeper::prometheus {

/// What somebody has done on a GPU.
struct Operation {
  std::string device;     ///< its index, "0"; "none" for one of no GPU
  std::string service;    ///< whose it is
  std::string operation;  ///< of what kind: "inference"
  std::uint64_t count = 1;
  std::optional<std::chrono::nanoseconds> took;  ///< each of them; nothing: nobody measured it
};

/// A request for memory that was answered for good.
struct Allocation {
  std::string device;  ///< the index of the one it is on, or of the preferred one; "none"
  std::string service;
  bool granted = false;
  std::chrono::nanoseconds took{};
};

/// What was done on the GPUs, counted since the start: the throughput, latency and allocations of the documented family
/// (contract 1.2.3). Services tell of theirs over POST /api/v1/operations; our own are noted as they happen.
///
/// Threads: any.
class OperationBook {
 public:
  /// Series of operations, and as many of allocations; each is a counter and a histogram. What labels there are is up
  /// to clients, so they are bounded.
  static constexpr std::size_t kMostSeries = 1000;
  /// Of device, service and operation, after label_value().
  using Labels = std::string;

  struct Operations {
    std::uint64_t count = 0;
    Histogram latency;
  };
  struct Allocations {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    Histogram duration;
  };
  struct Sums {
    std::map<Labels, Operations> operations;    ///< device_id, service_name, operation_type
    std::map<Labels, Allocations> allocations;  ///< device_id, service_name
  };

  /// All of them, or none.
  /// Errors: resource_exhausted when they would begin a series beyond kMostSeries.
  Result<void> note(std::span<const Operation> operations);
  /// Beyond kMostSeries it counts for the service "other".
  void note(const Allocation& allocation);

  /// All of it until now.
  Sums read() const;

 private:
  mutable std::mutex mutex_;
  Sums sums_;  // guarded by mutex_
};

/// The labels of a request for memory.
std::string allocation_labels(std::string_view device, std::string_view service);

}  // namespace gpukeeper::prometheus
