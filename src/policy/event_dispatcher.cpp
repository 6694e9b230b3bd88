#include "policy/event_dispatcher.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gpukeeper {

class EventDispatcher::Subscriber {
 public:
  Subscriber(std::string name, std::optional<GovernorEventKind> kind, Callback callback, const Complaint& complaint,
             std::size_t room)
      : name_(std::move(name)),
        kind_(kind),
        callback_(std::move(callback)),
        complaint_(complaint),
        room_(room),
        thread_([this] { run(); }) {}

  ~Subscriber() {
    stop();
    thread_.join();
  }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  void put(const GovernorEvent& event) {
    if (kind_ && *kind_ != event.kind) return;
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() >= room_) {
        waiting_.pop_front();
        ++lost_;
      }
      waiting_.push_back(event);
    }
    changed_.notify_all();
  }

  // Ends the thread once the callback that runs has returned; does not wait for it.
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      waiting_.clear();
    }
    changed_.notify_all();
  }

  bool is_this_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || (waiting_.empty() && !busy_); });
  }

  std::uint64_t lost() const {
    const std::scoped_lock lock(mutex_);
    return lost_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      busy_ = false;
      changed_.notify_all();
      changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
      if (stopped_) return;
      busy_ = true;
      const GovernorEvent event = std::move(waiting_.front());
      waiting_.pop_front();
      const std::uint64_t lost = lost_ - std::exchange(told_lost_, lost_);
      lock.unlock();
      if (lost > 0) {
        complaint_(fmt::format("the subscriber {} is too slow: {} event{} of the governor did not reach it", name_,
                               lost, lost == 1 ? "" : "s"));
      }
      deliver(event);
      lock.lock();
    }
  }

  void deliver(const GovernorEvent& event) {
    try {
      callback_(event);
    } catch (const std::exception& error) {
      complaint_(fmt::format("the subscriber {} failed at {}: {}", name_, to_string(event.kind), error.what()));
    } catch (...) {
      complaint_(fmt::format("the subscriber {} failed at {}", name_, to_string(event.kind)));
    }
  }

  const std::string name_;
  const std::optional<GovernorEventKind> kind_;
  const Callback callback_;
  const Complaint complaint_;
  const std::size_t room_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GovernorEvent> waiting_;  // guarded by mutex_, as all below
  std::uint64_t lost_ = 0;
  std::uint64_t told_lost_ = 0;
  bool busy_ = false;
  bool stopped_ = false;

  std::thread thread_;  // last: it uses all of the above
};

EventDispatcher::EventDispatcher(Complaint complaint, std::size_t queue)
    : complaint_(std::move(complaint)), queue_(queue) {}

EventDispatcher::~EventDispatcher() {
  for (const auto& [token, subscriber] : subscribers_) subscriber->stop();  // all at once, then one by one waited for
}

EventDispatcher::Token EventDispatcher::subscribe(std::string name, std::optional<GovernorEventKind> kind,
                                                  Callback callback) {
  const std::scoped_lock lock(mutex_);
  const Token token{++last_token_};
  subscribers_.emplace(token,
                       std::make_shared<Subscriber>(std::move(name), kind, std::move(callback), complaint_, queue_));
  return token;
}

bool EventDispatcher::unsubscribe(Token token) {
  std::shared_ptr<Subscriber> subscriber;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = subscribers_.find(token);
    if (found == subscribers_.end()) return false;
    subscriber = std::move(found->second);
    subscribers_.erase(found);
    if (subscriber->is_this_thread()) leaving_.push_back(subscriber);  // a thread cannot wait for its own end
  }
  subscriber->stop();
  return true;
}

void EventDispatcher::post(std::span<const GovernorEvent> events) {
  if (events.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& [token, subscriber] : subscribers_) {
    for (const GovernorEvent& event : events) subscriber->put(event);
  }
}

void EventDispatcher::drain() {
  std::vector<std::shared_ptr<Subscriber>> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [token, subscriber] : subscribers_) all.push_back(subscriber);
  }
  for (const auto& subscriber : all) subscriber->drain();
}

std::uint64_t EventDispatcher::lost(Token token) const {
  const std::scoped_lock lock(mutex_);
  const auto found = subscribers_.find(token);
  return found == subscribers_.end() ? 0 : found->second->lost();
}

}  // namespace gpukeeper
