#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace gpukeeper::push {

/// A request as it will be sent.
struct Request {
  std::string body;
  std::uint64_t samples = 0;
};

/// Requests that wait, in memory: above `most` bytes the oldest go. Threads: one.
class PushQueue {
 public:
  explicit PushQueue(std::size_t most) : most_(most) {}

  void put(Request request);
  /// The oldest; null when nothing waits.
  const Request* front() const { return waiting_.empty() ? nullptr : &waiting_.front(); }
  void pop();

  std::size_t size() const { return waiting_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t dropped() const { return dropped_; }  ///< for want of room

 private:
  const std::size_t most_;
  std::deque<Request> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace gpukeeper::push
