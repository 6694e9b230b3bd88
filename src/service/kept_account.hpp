#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "account/account_writer.hpp"
#include "account/accountant.hpp"
#include "backend/detect.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper::service {

/// The account of `serve`: who used the devices, over restarts where there is a state directory. Shared with an engine
/// that hangs.
///
/// Threads: open() and see() belong to the engine's, look() to the main thread; all else may be called from any.
class KeptAccount {
 public:
  /// `clock`: that of the devices.
  KeptAccount(account::Keeping keeping, std::shared_ptr<const Clock> clock);

  /// Begins to load and to save: in `account.db`, or in `simulated/` where none of the sources looks at a living
  /// machine. Of time that is played nothing is kept: played twice it would count twice. `directory` may be null.
  /// Errors: those of StateDirectory::folder.
  Result<void> open(const StateDirectory* directory, const Sources& sources);

  void see(const Snapshot& snapshot, std::span<const account::LeasedProcess> leased);

  /// Who used the devices, from that moment on, or at the least as long as the memory goes back; what lies before that
  /// only up to `until`. It may wait for a disk.
  account::Account account(std::optional<WallTime> since, std::optional<WallTime> until) const;

  /// What does not work, a sentence each.
  std::vector<std::string> trouble() const;

  /// Says in the log what does not work, and when that is over. Once a second.
  void look(Log& log);

  void configure(account::Keeping keeping);

  /// Has the last changes saved. After the last snapshot.
  void ask_to_stop();
  bool ended() const;

 private:
  struct Kept {
    std::shared_ptr<account::AccountStore> store;
    std::unique_ptr<account::AccountWriter> writer;
  };
  std::shared_ptr<const Kept> kept() const;

  const std::shared_ptr<const Clock> clock_;
  const std::shared_ptr<account::Accountant> accountant_ = std::make_shared<account::Accountant>();
  std::string said_;  // of the main thread, as the next
  std::string noticed_;
  mutable std::mutex mutex_;
  account::Keeping keeping_;          // guarded by mutex_, as all below
  std::shared_ptr<const Kept> kept_;  // null: in memory only
  mutable std::string unreadable_;    // why the file could not be read when it was last
  mutable MonotonicTime unreadable_at_{};
};

}  // namespace gpukeeper::service
