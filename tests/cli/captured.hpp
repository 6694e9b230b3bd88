#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper::cli {

/// Keeps what is written; can be a reader that goes away, or a full disk.
class CapturedOutput final : public Output {
 public:
  Result<bool> write(std::string_view more) override {
    if (full) return gpukeeper::fail(Errc::internal, "write to standard output: No space left on device");
    if (gone_after && writes >= *gone_after) return false;
    ++writes;
    text += more;
    return true;
  }
  std::string text;
  std::size_t writes = 0;
  bool full = false;
  std::optional<std::size_t> gone_after;
};

/// Plays events in order, then stops. A wait that is due moves the clock there.
class FakeInterrupts final : public Interrupts {
 public:
  FakeInterrupts(FakeClock& clock, std::deque<Event> events) : clock_(clock), events_(std::move(events)) {}
  Event wait_until(MonotonicTime until) override {
    if (events_.empty()) return Event::stop;
    const auto event = events_.front();
    events_.pop_front();
    if (event == Event::due) clock_.sleep_until(until, {});
    return event;
  }
  void suspend() override { ++suspended; }
  int suspended = 0;

 private:
  FakeClock& clock_;
  std::deque<Event> events_;
};

/// A world without a machine for one command.
struct Captured {
  explicit Captured(std::vector<Snapshot> snapshots = {Snapshot{}}, std::deque<Interrupts::Event> events = {})
      : snapshots_(std::move(snapshots)), events_(std::move(events)) {}

  FakeClock clock;
  MemoryFiles files;
  CapturedOutput out;
  Screen screen;
  std::map<std::string, std::string> variables{{"LANG", "C.UTF-8"}, {"TERM", "xterm-256color"}};
  std::vector<Finding> findings;
  std::size_t ticks = 0;
  std::string origin;                 // of the feed
  std::vector<std::string> troubles;  // of the feed, tick by tick; the last one for good
  Context context{.clock = clock,
                  .files = files,
                  .out = out,
                  .environment = [this](std::string_view name) -> std::optional<std::string> {
                    const auto found = variables.find(std::string(name));
                    return found == variables.end() ? std::nullopt : std::optional(found->second);
                  },
                  .screen = [this] { return screen; },
                  .colour = ColourChoice::automatic,
                  .open_feed = [this]() -> Result<std::unique_ptr<Feed>> {
                    return std::unique_ptr<Feed>(std::make_unique<PreparedFeed>(*this));
                  },
                  .interrupts = [this]() -> std::unique_ptr<Interrupts> {
                    return std::make_unique<FakeInterrupts>(clock, events_);
                  }};

 private:
  // Gives the prepared snapshots, the last one again and again.
  class PreparedFeed final : public Feed {
   public:
    explicit PreparedFeed(Captured& world) : world_(world) {}
    std::shared_ptr<const Snapshot> next() override {
      const auto at = std::min(world_.ticks++, world_.snapshots_.size() - 1);
      return std::make_shared<const Snapshot>(world_.snapshots_[at]);
    }
    std::string origin() const override { return world_.origin; }
    std::string trouble() const override {
      if (world_.troubles.empty()) return {};
      return world_.troubles[std::min(world_.ticks, world_.troubles.size()) - 1];
    }
    std::span<const Finding> findings() const override { return world_.findings; }

   private:
    Captured& world_;
  };

  std::vector<Snapshot> snapshots_;
  std::deque<Interrupts::Event> events_;
};

}  // namespace gpukeeper::cli
