#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "service/elsewhere.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// What was answered to requests with an Idempotency-Key: who asks again with the same key, since the answer was lost
/// on its way, gets that answer, and nothing is done twice. A key is its sender's own, for one method and path. It is
/// known for a day, or until 1,000 others came, and not beyond a restart.
///
/// Threads: any.
class Idempotency {
 public:
  static constexpr std::size_t kMost = 1000;

  /// The clock outlives this.
  explicit Idempotency(const Clock& clock) : clock_(clock) {}

  /// Nothing where it is to be done: without a key, or with one that is new. Else what was answered then; 400 for a key
  /// that is none, 409 for one that stands for another body, or whose request is not answered yet.
  std::optional<Response> begin(const Request& request);

  /// It was done, or (null) was not, so that it may be asked for again with the same key.
  void end(const Request& request, const Response* answer);

 private:
  struct Known {
    std::size_t body = 0;  // its hash
    MonotonicTime at{};
    std::optional<Response> answer;  // nothing: not yet
  };
  void forget_old();

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // guarded by mutex_
  std::deque<std::string> order_;       // as well: the oldest first
};

/// The answer, given once a key. For answers that are made at once.
Answer idempotent(Answer answer, std::shared_ptr<Idempotency> keys);

/// The key of a request, as it was sent.
/// Errors: invalid_argument for one that is not 1 to 255 printable characters of ASCII.
Result<std::optional<std::string>> idempotency_key(const Request& request);

}  // namespace gpukeeper::service
