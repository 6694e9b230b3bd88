#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "account/account.hpp"
#include "core/result.hpp"

namespace gpukeeper::account {

/// Which part of what is kept is wanted.
struct Wanted {
  std::optional<WallTime> since;  ///< the slots that reach behind it
  std::optional<WallTime> until;  ///< and begin before it
  /// Slots in a piece of time of this length become one, so that years fit into memory; zero: as they are.
  std::chrono::seconds column{0};
  std::vector<std::pair<WallTime, WallTime>> known = {};  ///< slots that touch one of these are left out; by begin
};

/// Where the account is kept over restarts: by slots, each under its begin, so that one that is saved again takes the
/// place of what stood there and is never counted twice.
///
/// Threads: read() may be called from any, at any time; all else belongs to one.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  /// Where it is, for messages: "/var/lib/gpukeeper/account.db". Constant.
  virtual std::string place() const = 0;

  /// What its operator should know: that a damaged file was moved aside. Empty when nothing. From any thread.
  virtual std::string notice() const = 0;

  /// Opens it, or begins it, and reads the slots of so long before the last save, or before `now` where that is
  /// earlier: a clock may have been ahead. To be called until it succeeds; then not again. Errors: not_supported for
  /// what a newer gpukeeper wrote; others as the disk says.
  virtual Result<Account> load(WallTime now, std::chrono::seconds length) = 0;

  /// What was saved.
  enum class Saved {
    these,  ///< as it was asked for
    anew,   ///< these alone, as what was kept before is gone: all is to be saved again
  };
  /// Each slot takes the place of all that stands there of its time; alerts alike. All or, when it fails, nothing; once
  /// it returns it survives the end of the process, and of the machine.
  /// Errors: resource_exhausted when the disk is full; others as the disk says.
  virtual Result<Saved> save(const Account& changes) = 0;

  /// Forgets what was over before then. Errors: as for save().
  virtual Result<void> forget(WallTime before) = 0;

  /// Errors: not_found where nothing is kept; others as the disk says.
  virtual Result<Account> read(const Wanted& wanted) const = 0;
};

}  // namespace gpukeeper::account
