#pragma once

#include <memory>
#include <utility>

#include "cli/signals.hpp"
#include "core/playback_clock.hpp"

namespace gpukeeper::cli {

/// Interrupts for a command whose time is played: waits as long as the speed says, and moves time when it is due.
class PlaybackInterrupts final : public Interrupts {
 public:
  /// `inner` waits by real time.
  PlaybackInterrupts(std::unique_ptr<Interrupts> inner, std::shared_ptr<PlaybackClock> clock)
      : inner_(std::move(inner)), clock_(std::move(clock)) {}

  Event wait_until(MonotonicTime until) override {
    const Event event = inner_->wait_until(clock_->real_time_of(until));
    if (event == Event::due) clock_->move_to(until);
    return event;
  }
  void suspend() override { inner_->suspend(); }

 private:
  const std::unique_ptr<Interrupts> inner_;
  const std::shared_ptr<PlaybackClock> clock_;
};

}  // namespace gpukeeper::cli
