#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "policy/andon/alert_store.hpp"

namespace gpukeeper {

/// A store in memory that fails where it is told to.
class MemoryAlertStore final : public AlertStore {
 public:
  explicit MemoryAlertStore(bool keeps_made_up = false) : keeps_made_up_(keeps_made_up) {}

  std::string place() const override { return "memory"; }
  bool keeps_made_up() const override { return keeps_made_up_; }
  std::string notice() const override {
    std::scoped_lock lock(mutex_);
    return notice_;
  }
  Result<AndonMemory> load() override {
    std::scoped_lock lock(mutex_);
    if (error_) return tl::make_unexpected(*error_);
    return memory_;
  }
  Result<void> save(const AndonMemory& memory) override {
    std::scoped_lock lock(mutex_);
    if (error_) return tl::make_unexpected(*error_);
    memory_ = memory;
    ++saves_;
    return {};
  }

  /// From now on, until it is told nothing.
  void fail_with(std::optional<Error> error) {
    std::scoped_lock lock(mutex_);
    error_ = std::move(error);
  }
  void say(std::string notice) {
    std::scoped_lock lock(mutex_);
    notice_ = std::move(notice);
  }
  AndonMemory memory() const {
    std::scoped_lock lock(mutex_);
    return memory_;
  }
  int saves() const {
    std::scoped_lock lock(mutex_);
    return saves_;
  }

 private:
  const bool keeps_made_up_;
  mutable std::mutex mutex_;
  AndonMemory memory_;  // guarded by mutex_, as all below
  std::optional<Error> error_;
  std::string notice_;
  int saves_ = 0;
};

}  // namespace gpukeeper
