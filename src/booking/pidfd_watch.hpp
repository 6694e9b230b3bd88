#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "booking/owner_watch.hpp"
#include "core/result.hpp"

namespace gpukeeper {

/// Watches processes of this machine by descriptors of theirs (pidfd_open(2), Linux 5.3), which become readable when
/// the process ends and stay those of that process when its pid is given to another one.
///
/// A process that cannot be watched so (no descriptors left, an older kernel) counts as alive, and is looked at once a
/// second instead.
class PidfdWatch final : public OwnerWatch {
 public:
  /// Errors: as the kernel says.
  static Result<std::unique_ptr<PidfdWatch>> start();
  ~PidfdWatch() override;

  void on_gone(Gone gone) override;
  bool watch(const ProcessOwner& owner) override;
  void keep_only(const std::vector<ProcessOwner>& owners) override;

  /// How many processes are watched; for tests.
  std::size_t size() const;

 private:
  PidfdWatch(int epoll, int wake);
  void run(std::stop_token stop);
  void look_at_the_others();
  void forget(const ProcessOwner& owner);
  void tell(const std::vector<ProcessOwner>& gone);

  const int epoll_;
  const int wake_;  // an eventfd: ends the wait
  mutable std::mutex mutex_;
  Gone gone_;                                     // guarded by mutex_
  std::map<ProcessOwner, int> watched_;           // guarded by mutex_; -1 where there is no descriptor
  std::map<std::uint64_t, ProcessOwner> by_key_;  // guarded by mutex_; what epoll knows a descriptor by
  std::uint64_t last_key_ = 0;                    // guarded by mutex_; 0 is that of wake_
  std::jthread thread_;                           // last: it uses all of these
};

/// The process with that pid now, or nothing when there is none (or it is a zombie: it holds nothing any more).
std::optional<ProcessOwner> process_now(std::int64_t pid);

/// What changes with each boot of the machine (/proc/sys/kernel/random/boot_id); empty when it cannot be read.
std::string boot_id_of_this_machine();

}  // namespace gpukeeper
