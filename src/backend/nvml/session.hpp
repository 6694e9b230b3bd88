#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>

#include "backend/nvml/abi.hpp"
#include "backend/nvml/library.hpp"
#include "device/backend.hpp"

namespace gpukeeper::nvml {

/// What the library has cost. Outlives sessions and any call that hangs in one.
class Meter {
 public:
  void add(std::chrono::nanoseconds time) {
    calls_.fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }
  DriverCost cost() const {
    return {calls_.load(std::memory_order_relaxed),
            std::chrono::nanoseconds(nanoseconds_.load(std::memory_order_relaxed))};
  }

 private:
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

/// One stay inside the library, from nvmlInit to nvmlShutdown.
///
/// Whoever calls into the library holds a shared_ptr meanwhile; the last one to let go shuts it down. So a session
/// never ends under a call, and one that a hung call holds does not end at all: ended() tells, and before it no new
/// one may begin, as nvmlInit would only count up and leave the stale state in place.
/// Threads: call() and broken from any thread.
class Session {
 public:
  Session(std::shared_ptr<const Library> library, std::shared_ptr<Meter> meter, std::uint64_t generation)
      : library_(std::move(library)), meter_(std::move(meter)), generation_(generation) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// nvmlInit. To be called once; after an error the session is to be dropped.
  abi::Code open();

  const Library& library() const { return *library_; }
  std::uint64_t generation() const { return generation_; }
  /// Becomes ready when nvmlShutdown has returned.
  const std::shared_future<void>& ended() const { return ended_; }

  /// One call into the library, counted; kFunctionNotFound for a function that the library lacks.
  template <class... Params, class... Args>
  abi::Code call(abi::Code (*function)(Params...), Args... args) const {
    if (!function) return abi::kFunctionNotFound;
    const auto begin = std::chrono::steady_clock::now();
    const abi::Code code = function(args...);
    meter_->add(std::chrono::steady_clock::now() - begin);
    return code;
  }

  /// Why the session is over though it is still open; kSuccess while all is well.
  std::atomic<abi::Code> broken{abi::kSuccess};

  /// For events of all devices; null where there are none.
  abi::EventSet events = nullptr;

 private:
  std::shared_ptr<const Library> library_;
  const std::shared_ptr<Meter> meter_;
  const std::uint64_t generation_;
  std::promise<void> end_;
  const std::shared_future<void> ended_ = end_.get_future().share();
  bool open_ = false;
};

}  // namespace gpukeeper::nvml
