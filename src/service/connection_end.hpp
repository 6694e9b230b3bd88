#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace gpukeeper::service {

/// Tells that a connection is over, for what shall not outlive it.
///
/// Threads: any.
class ConnectionEnd {
 public:
  /// `number`: no other connection of this process has it.
  explicit ConnectionEnd(std::uint64_t number) : number_(number) {}

  std::uint64_t number() const { return number_; }

  /// Who is told once it is over, on the server's thread, where nobody may wait; at once, here, when it is already.
  /// Another one takes the place of the one before.
  void tell(std::function<void()> who) {
    {
      std::scoped_lock lock(mutex_);
      if (!over_) {
        who_ = std::move(who);
        return;
      }
    }
    who();
  }

  /// For the server.
  void happened() {
    std::function<void()> who;
    {
      std::scoped_lock lock(mutex_);
      over_ = true;
      who = std::exchange(who_, nullptr);
    }
    if (who) who();
  }

 private:
  const std::uint64_t number_;
  std::mutex mutex_;
  bool over_ = false;          // guarded by mutex_
  std::function<void()> who_;  // guarded by mutex_
};

}  // namespace gpukeeper::service
