#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "captured.hpp"
#include "core/playback_clock.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::cli {

/// A world in which commands watch a stretch of time that is played, as fast as it goes.
class PlayedWorld {
 public:
  explicit PlayedWorld(std::string source, std::deque<Interrupts::Event> events_ = {})
      : sources{std::move(source)}, events(std::move(events_)) {}

  std::string output() const { return world_.out.text; }
  CapturedOutput& out() { return world_.out; }

  const std::vector<std::string> sources;
  std::deque<Interrupts::Event> events;  ///< what the next command is interrupted by
  std::vector<std::string> remarks;

 private:
  // Ends with the events that were prepared; then every wait is over when it is due.
  class Waits final : public Interrupts {
   public:
    Waits(std::shared_ptr<PlaybackClock> clock, std::deque<Event> events)
        : clock_(std::move(clock)), events_(std::move(events)) {}
    Event wait_until(MonotonicTime until) override {
      const Event event = events_.empty() ? Event::due : events_.front();
      if (!events_.empty()) events_.pop_front();
      if (event == Event::due) clock_->move_to(until);
      return event;
    }
    void suspend() override {}

   private:
    const std::shared_ptr<PlaybackClock> clock_;
    std::deque<Event> events_;
  };

  Captured world_;
  const std::shared_ptr<PlaybackClock> clock_ =
      std::dynamic_pointer_cast<PlaybackClock>(*clock_for(sources, Speed(), {}, std::make_shared<FakeClock>()));

 public:
  Context context{
      .clock = *clock_,
      .files = world_.files,
      .out = world_.out,
      .environment = world_.context.environment,
      .screen = [this] { return world_.screen; },
      .open_feed = {},
      .open_session =
          [this](SessionOptions o) {
            o.engine.governor = context.settings.engine.governor;
            return Session::open(sources, clock_, std::move(o));
          },
      .interrupts = [this]() -> std::unique_ptr<Interrupts> { return std::make_unique<Waits>(clock_, events); },
      .remark = [this](std::string_view sentence) { remarks.emplace_back(sentence); }};
};

}  // namespace gpukeeper::cli
