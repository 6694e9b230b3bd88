#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "gpukeeper/export.hpp"

namespace gpukeeper {
inline namespace v0 {

/// Something that a service did on a GPU, for the documented metrics of throughput and latency
/// (Keeper::record_operation).
struct Operation {
  std::string service = {};                                ///< "embedding"
  std::string operation = {};                              ///< "inference"
  std::string device = {};                                 ///< index, UUID or PCI address; empty: of none
  std::uint64_t count = 1;                                 ///< so many of the same
  std::optional<std::chrono::duration<double>> took = {};  ///< each of them
};

/// As POST /api/v1/operations takes it.
GPUKEEPER_API std::string to_json(const Operation& operation);

}  // namespace v0
}  // namespace gpukeeper
