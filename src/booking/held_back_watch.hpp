#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "booking/owner_watch.hpp"

namespace gpukeeper {

/// Tells of deaths only when it is asked to: for a book that may be written at certain times alone.
/// Threads: every member may be called from any.
class HeldBackWatch final : public OwnerWatch {
 public:
  /// Who has gone; it may outlive the watch.
  class Deaths {
   public:
    /// Of all who have gone since it was called last, on this thread.
    void tell() {
      std::vector<ProcessOwner> gone;
      Gone to;
      {
        std::scoped_lock lock(mutex_);
        gone.swap(gone_);
        to = to_;
      }
      for (const ProcessOwner& owner : gone) {
        if (to) to(owner);
      }
    }

   private:
    friend class HeldBackWatch;
    std::mutex mutex_;
    Gone to_;  // guarded by mutex_, as below; null without a watch
    std::vector<ProcessOwner> gone_;
  };

  /// `watch`: whoever sees them; neither is null.
  HeldBackWatch(std::unique_ptr<OwnerWatch> watch, std::shared_ptr<Deaths> deaths)
      : deaths_(std::move(deaths)), watch_(std::move(watch)) {}
  ~HeldBackWatch() override { on_gone(nullptr); }
  HeldBackWatch(const HeldBackWatch&) = delete;
  HeldBackWatch& operator=(const HeldBackWatch&) = delete;

  void on_gone(Gone gone) override {
    {
      std::scoped_lock lock(deaths_->mutex_);
      deaths_->to_ = std::move(gone);
    }
    watch_->on_gone([deaths = deaths_](const ProcessOwner& owner) {
      std::scoped_lock lock(deaths->mutex_);
      deaths->gone_.push_back(owner);
    });
  }
  bool watch(const ProcessOwner& owner) override { return watch_->watch(owner); }
  void keep_only(const std::vector<ProcessOwner>& owners) override { watch_->keep_only(owners); }

 private:
  const std::shared_ptr<Deaths> deaths_;
  const std::unique_ptr<OwnerWatch> watch_;
};

}  // namespace gpukeeper
