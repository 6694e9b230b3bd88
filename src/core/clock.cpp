#include "core/clock.hpp"

#include <condition_variable>
#include <mutex>

namespace gpukeeper {

MonotonicTime SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall() const {
  return std::chrono::system_clock::now();
}

void SystemClock::sleep_until(MonotonicTime until, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, until, [] { return false; });
}

}  // namespace gpukeeper
