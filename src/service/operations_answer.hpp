#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "prometheus/operations.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What POST /api/v1/operations was given.
struct ToldOperation {
  std::string device;  ///< as for --device; empty: none
  prometheus::Operation operation;
};

/// Out of a JSON object, or of {"operations": […]} with up to kMostOperations of them:
/// {"service": "embedding", "operation": "inference", "device": "0", "count": 32, "seconds": 0.012}.
/// Errors: invalid_argument, with what is wrong and what would be right.
Result<std::vector<ToldOperation>> parse_operations(std::string_view json);

inline constexpr std::size_t kMostOperations = 1000;

/// POST /api/v1/operations: what services did on the GPUs, for gpu_throughput_ops_total and
/// gpu_operation_latency_seconds. All is taken, or nothing: 400 for a body that is wrong, 404 for a GPU that there is
/// not, 409 when it would be of more kinds than are counted. 202 with how many were taken.
Response operations_answer(const Request& request, prometheus::OperationBook& book, const Snapshot& snapshot);

}  // namespace gpukeeper::service
