#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "format/columns.hpp"
#include "top/feeder.hpp"

namespace gpukeeper::cli {

/// Between the terminal view and the threads that feed it: what is known, and what is asked for.
/// Threads: every member may be called from any; nothing is called while its lock is held but what changes the news.
class TopBoard {
 public:
  TopBoard() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~TopBoard() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  TopBoard(const TopBoard&) = delete;
  TopBoard& operator=(const TopBoard&) = delete;

  int descriptor() const { return descriptor_; }

  /// Takes a snapshot, of the chosen devices alone where some were named. One that there is not is News::failed.
  template <class Change>
  void tell_snapshot(std::shared_ptr<const Snapshot> snapshot, const std::vector<std::string>& devices, Change change) {
    std::optional<Error> failed;
    if (!devices.empty() && snapshot->sequence > 0) {
      auto chosen = select_devices(*snapshot, devices);
      if (!chosen) {
        failed = chosen.error();
      } else {
        snapshot = std::make_shared<const Snapshot>(std::move(*chosen));
      }
    }
    tell([&](top::News& news) {
      change(news, snapshot);
      if (failed) news.failed = failed;
    });
  }

  /// Changes what is known, and wakes the view.
  template <class Change>
  void tell(Change change) {
    {
      std::scoped_lock lock(mutex_);
      change(news_);
    }
    static_cast<void>(::eventfd_write(descriptor_, 1));
  }

  top::News news() {
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(descriptor_, &count));
    std::scoped_lock lock(mutex_);
    return news_;
  }

  /// Says how something ended that was asked for.
  void reply(bool good, std::string text) {
    tell([&](top::News& news) { news.reply = {news.reply.number + 1, good, std::move(text)}; });
  }

  void need(const top::Needs& needs) {
    {
      std::scoped_lock lock(mutex_);
      if (needs == needs_) return;
      needs_ = needs;
    }
    asked_.notify_all();
  }
  top::Needs needs() const {
    std::scoped_lock lock(mutex_);
    return needs_;
  }

  void wish(const top::PlayWish& wish) { add(wishes_, wish); }
  void wish(const top::Deed& deed) { add(deeds_, deed); }
  std::optional<top::PlayWish> next_wish() { return take(wishes_); }
  std::optional<top::Deed> next_deed() { return take(deeds_); }

  /// Waits until that real time, a stop, or until something is asked for: other needs than these, a wish or a deed.
  void wait(std::chrono::steady_clock::time_point until, const top::Needs& known, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    asked_.wait_until(lock, stop, until, [&] { return needs_ != known || !wishes_.empty() || !deeds_.empty(); });
  }

 private:
  template <class Each>
  void add(std::deque<Each>& queue, const Each& each) {
    {
      std::scoped_lock lock(mutex_);
      if (queue.size() >= kMostAsked) return;  // nobody types so fast; what feeds us hangs
      queue.push_back(each);
    }
    asked_.notify_all();
  }
  template <class Each>
  std::optional<Each> take(std::deque<Each>& queue) {
    std::scoped_lock lock(mutex_);
    if (queue.empty()) return std::nullopt;
    Each first = std::move(queue.front());
    queue.pop_front();
    return first;
  }

  static constexpr std::size_t kMostAsked = 64;

  const int descriptor_;
  mutable std::mutex mutex_;
  std::condition_variable_any asked_;
  top::News news_;  // guarded by mutex_, as all below
  top::Needs needs_;
  std::deque<top::PlayWish> wishes_;
  std::deque<top::Deed> deeds_;
};

}  // namespace gpukeeper::cli
