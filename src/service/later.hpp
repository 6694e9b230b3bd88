#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "service/http.hpp"

namespace gpukeeper::service {

/// An answer that comes later, as what it needs is found out on another thread. The server waits for it without holding
/// up any other client, and gives up after HttpServerOptions::later, or after the patience that it says itself.
///
/// Threads: give() and on_abandoned() may be called from any; the rest belongs to the server's.
class Later {
 public:
  using Make = std::function<Response()>;

  /// `overdue`: what the client is told when nothing was given in time.
  explicit Later(std::string overdue = "what was asked for could not be found out in time: try again",
                 std::optional<std::chrono::milliseconds> patience = std::nullopt)
      : overdue_(std::move(overdue)), patience_(patience) {}

  const std::string& overdue() const { return overdue_; }
  const std::optional<std::chrono::milliseconds>& patience() const { return patience_; }

  /// The answer is made by `make`, on the server's thread. The first counts. When nobody waits for it any more, it is
  /// made here, and its `undelivered` called.
  void give(Make make) {
    {
      std::scoped_lock lock(mutex_);  // over the wake-up, too: who is woken is there until we are done
      if (make_) return;
      make_ = make;
      if (!abandoned_) {
        if (wake_) wake_();
        return;
      }
    }
    discard(make);
  }
  void give(Response response) {
    give([response = std::move(response)] { return response; });
  }

  /// Who is told, instead, that nobody waits for the answer any more and none was given; at once when it is so already.
  void on_abandoned(std::function<void()> who) {
    {
      std::scoped_lock lock(mutex_);
      if (!abandoned_) {
        who_ = std::move(who);
        return;
      }
      if (make_) return;
    }
    who();
  }

  /// For the server: called once something was given, at once if it was already. `wake` may be called from any thread;
  /// null takes it away, and then it is not running.
  void on_given(std::function<void()> wake) {
    std::scoped_lock lock(mutex_);
    wake_ = std::move(wake);
    if (wake_ && make_) wake_();
  }

  /// What was given; nothing while it was not.
  std::optional<Make> take() {
    std::scoped_lock lock(mutex_);
    if (!make_) return std::nullopt;
    return make_;
  }

  /// For the server: the client has gone, or was told something else.
  void abandon() {
    std::function<void()> who;
    Make make;
    {
      std::scoped_lock lock(mutex_);
      if (std::exchange(abandoned_, true)) return;
      wake_ = nullptr;
      who = std::exchange(who_, nullptr);
      make = make_;
    }
    if (make) {
      discard(make);
    } else if (who) {
      who();
    }
  }

 private:
  static void discard(const Make& make) {
    try {
      const Response response = make();
      if (response.later) response.later->abandon();
      if (response.undelivered) response.undelivered();
    } catch (...) {  // it would have told the client; there is nobody to tell
    }
  }

  const std::string overdue_;
  const std::optional<std::chrono::milliseconds> patience_;
  std::mutex mutex_;
  bool abandoned_ = false;      // guarded by mutex_
  Make make_;                   // guarded by mutex_
  std::function<void()> wake_;  // guarded by mutex_
  std::function<void()> who_;   // guarded by mutex_
};

}  // namespace gpukeeper::service
