#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "service/http.hpp"

namespace gpukeeper::service {

/// An answer that comes later, as what it needs is found out on another thread. The server waits for it without holding
/// up any other client, and gives up after HttpServerOptions::later.
///
/// Threads: give() may be called from any; the rest belongs to the server's.
class Later {
 public:
  using Make = std::function<Response()>;

  /// `overdue`: what the client is told when nothing was given in time.
  explicit Later(std::string overdue = "what was asked for could not be found out in time: try again")
      : overdue_(std::move(overdue)) {}

  const std::string& overdue() const { return overdue_; }

  /// The answer is made by `make`, on the server's thread. The first counts. After the client has gone nothing happens.
  void give(Make make) {
    std::scoped_lock lock(mutex_);  // over the wake-up, too: who is woken is there until we are done
    if (make_) return;
    make_ = std::move(make);
    if (wake_) wake_();
  }
  void give(Response response) {
    give([response = std::move(response)] { return response; });
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

 private:
  const std::string overdue_;
  std::mutex mutex_;
  Make make_;                   // guarded by mutex_
  std::function<void()> wake_;  // guarded by mutex_
};

}  // namespace gpukeeper::service
