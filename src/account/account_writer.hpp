#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "account/account_store.hpp"
#include "account/accountant.hpp"
#include "account/keeping.hpp"

namespace gpukeeper::account {

/// Carries the account between its accountant and its store, on a thread of its own: the one that reads the devices
/// never waits for a disk.
///
/// First it loads what was kept; before that has succeeded nothing is saved, so that nothing takes the place of what
/// was not seen. Then it saves what changed, again and again, and once more at the end. What failed is tried again.
///
/// Threads: every member may be called from any thread.
class AccountWriter {
 public:
  static constexpr std::chrono::seconds kLongestPause{60};  ///< after what failed
  /// So much is loaded: as much as an accountant keeps.
  static constexpr std::chrono::hours kLoaded{31 * 24};

  /// `clock` is that of the snapshots. Where no thread can be made, it is saved at the end alone.
  AccountWriter(std::shared_ptr<AccountStore> store, std::shared_ptr<Accountant> accountant, Keeping keeping,
                std::shared_ptr<const Clock> clock);
  /// Waits for the last save.
  ~AccountWriter();
  AccountWriter(const AccountWriter&) = delete;
  AccountWriter& operator=(const AccountWriter&) = delete;

  void configure(Keeping keeping);

  /// Why loading or the last save failed and what that means; empty when all is well.
  std::string message() const;

  /// Has the last changes saved, and ends.
  void ask_to_stop();
  bool ended() const;

  /// Loads or saves once. For how long to wait before the next time. The thread's whole behaviour; tests call this.
  std::chrono::nanoseconds turn();

 private:
  Result<void> load();
  Result<void> learn();
  Result<void> save();
  Result<void> forget();
  std::string explained(const Error& error) const;
  Keeping keeping() const;
  void run(const std::stop_token& stop);

  const std::shared_ptr<AccountStore> store_;
  const std::shared_ptr<Accountant> accountant_;
  const std::shared_ptr<const Clock> clock_;
  std::mutex turn_;
  bool loaded_ = false;  // guarded by turn_, as the store and the next
  std::optional<WallTime> forgotten_before_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Keeping keeping_;      // guarded by mutex_, as all below
  std::string message_;  //
  bool ended_ = false;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace gpukeeper::account
