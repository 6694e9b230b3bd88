#include "core/wakeable_sleep.hpp"

#include <utility>

namespace gpukeeper {

// A clock's sleep ends at a stop: each sleep gets a stop of its own, which a wake requests, as does the real one.
void WakeableSleep::until(Clock& clock, MonotonicTime time, const std::stop_token& stop) {
  std::stop_source sleep;
  {
    std::scoped_lock lock(mutex_);
    if (std::exchange(woken_, false)) return;
    sleep_ = sleep;
  }
  {
    const std::stop_callback link(stop, [&] { sleep.request_stop(); });
    clock.sleep_until(time, sleep.get_token());
  }
  std::scoped_lock lock(mutex_);
  sleep_.reset();
  woken_ = false;
}

void WakeableSleep::wake() {
  std::optional<std::stop_source> sleep;
  {
    std::scoped_lock lock(mutex_);
    woken_ = true;
    sleep = sleep_;
  }
  if (sleep) sleep->request_stop();  // runs the sleeper's callback: not under our lock
}

}  // namespace gpukeeper
