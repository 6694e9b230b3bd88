#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpukeeper.h"

namespace gpukeeper {
inline namespace v0 {

/// What could not be done, and why: what() says what was wrong and what would be right.
class GPUKEEPER_API Error : public std::runtime_error {
 public:
  Error(gk_result code, const std::string& message, std::string problem = {})
      : std::runtime_error(message), code_(code), problem_(std::move(problem)) {}

  gk_result code() const { return code_; }

  /// The same as a problem document (RFC 9457), with the numbers of a refusal; empty where there is none.
  const std::string& problem() const { return problem_; }

 private:
  gk_result code_;
  std::string problem_;
};

/// Throws what the latest call of this thread has said, unless that went well.
inline void throw_if_failed(gk_result result) {
  if (result != GK_OK) throw Error(result, gk_last_error(), gk_last_problem());
}

}  // namespace v0
}  // namespace gpukeeper
