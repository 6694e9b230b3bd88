#include "sinks/sink_queue.hpp"

#include <algorithm>
#include <utility>

#include "sinks/sink_filter.hpp"

namespace gpukeeper {

SinkQueue::SinkQueue(SinkSettings settings, SpoolContents contents)
    : settings_(std::move(settings)), contents_(std::move(contents)) {}

bool SinkQueue::put(const std::shared_ptr<const AlertNotice>& notice) {
  using enum AlertNotice::Kind;
  const std::string& id = notice->alert.id;
  {
    const std::scoped_lock lock(mutex_);
    if (notice->kind == resolved) {
      if (contents_.open.erase(id) == 0 || !settings_.send_resolved) return false;
    } else if (notice->kind != test) {
      if (!is_for(settings_, notice->alert)) return false;
      if (contents_.open.size() < kMostOpen) contents_.open.insert(id);
    }
    const WaitingNotice waiting{++contents_.last_number, notice};
    contents_.waiting.push_back(waiting);
    note(waiting);
    if (contents_.waiting.size() > kMost) drop_one();
    ++puts_;
  }
  news_.notify_all();
  return true;
}

// The oldest, but none that tells of an end while there is another: its receiver would have the alert open for ever.
void SinkQueue::drop_one() {
  const auto tells_no_end = [](const WaitingNotice& each) { return each.notice->kind != AlertNotice::Kind::resolved; };
  auto which = std::ranges::find_if(contents_.waiting, tells_no_end);
  if (which == contents_.waiting.end()) which = contents_.waiting.begin();
  note(which->number);
  contents_.waiting.erase(which);
  ++dropped_;
}

void SinkQueue::note(Change change) {
  if (changes_.size() < kMostChanges) {
    changes_.push_back(std::move(change));
  } else {
    too_many_changes_ = true;
  }
}

std::optional<WaitingNotice> SinkQueue::front() const {
  const std::scoped_lock lock(mutex_);
  if (contents_.waiting.empty()) return std::nullopt;
  return contents_.waiting.front();
}

void SinkQueue::done(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  const auto erased =
      std::erase_if(contents_.waiting, [&](const WaitingNotice& each) { return each.number == number; });
  if (erased > 0) note(number);
}

bool SinkQueue::is_open(const std::string& alert) const {
  const std::scoped_lock lock(mutex_);
  return contents_.open.contains(alert);
}

std::size_t SinkQueue::size() const {
  const std::scoped_lock lock(mutex_);
  return contents_.waiting.size();
}

std::uint64_t SinkQueue::dropped() const {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

void SinkQueue::wait(const std::stop_token& stop, std::optional<std::chrono::nanoseconds> longest) {
  std::unique_lock lock(mutex_);
  const auto is_news = [&] { return puts_ != seen_; };
  if (longest) {
    news_.wait_for(lock, stop, *longest, is_news);
  } else {
    news_.wait(lock, stop, is_news);
  }
  seen_ = puts_;
}

SinkQueue::Unsaved SinkQueue::take_unsaved(bool everything) {
  const std::scoped_lock lock(mutex_);
  Unsaved result{.changes = std::exchange(changes_, {})};
  if (!std::exchange(too_many_changes_, false) && !everything) return result;
  result.changes.clear();
  result.instead = contents_;
  return result;
}

}  // namespace gpukeeper
