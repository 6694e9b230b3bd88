#include "cli/signals.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>

namespace gpukeeper::cli {
namespace {

sigset_t watched() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

bool wait_until_due(Interrupts& interrupts, MonotonicTime due) {
  for (;;) {
    switch (interrupts.wait_until(due)) {
      case Interrupts::Event::due: return true;
      case Interrupts::Event::stop: return false;
      case Interrupts::Event::suspend: interrupts.suspend(); break;
      case Interrupts::Event::resized: break;
    }
  }
}

SignalInterrupts::SignalInterrupts(const Clock& clock) : clock_(clock) {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalInterrupts::~SignalInterrupts() {
  const sigset_t set = watched();
  // What came meanwhile is dropped: the program is ending as it was asked to.
  const timespec now{};
  while (::sigtimedwait(&set, nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Interrupts::Event SignalInterrupts::wait_until(MonotonicTime until) {
  const sigset_t set = watched();
  for (;;) {
    const auto left = std::max(std::chrono::nanoseconds(until - clock_.now()), std::chrono::nanoseconds(0));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{static_cast<std::time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
    switch (::sigtimedwait(&set, nullptr, &timeout)) {
      case SIGINT:
      case SIGTERM:
      case SIGHUP: return Event::stop;
      case SIGWINCH: return Event::resized;
      case SIGTSTP: return Event::suspend;
      default: break;  // EAGAIN: the time is over; EINTR: some other signal
    }
    if (left == std::chrono::nanoseconds(0)) return Event::due;
  }
}

void SignalInterrupts::suspend() {
  ::raise(SIGSTOP);
}

}  // namespace gpukeeper::cli
