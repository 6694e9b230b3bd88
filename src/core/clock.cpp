#include "core/clock.hpp"

#include <condition_variable>
#include <mutex>

namespace gpukeeper {

bool Clock::wait_while(const std::function<bool()>& holds, std::stop_token stop) const {
  constexpr auto kLookAgain = std::chrono::milliseconds(5);
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (holds()) {
    wake.wait_for(lock, stop, kLookAgain, [] { return false; });
    if (stop.stop_requested()) return false;
  }
  return true;
}

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
