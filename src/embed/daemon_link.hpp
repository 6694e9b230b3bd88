#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "client/daemon.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "embed/interrupt.hpp"
#include "embed/keeper.hpp"
#include "embed/options.hpp"

namespace gpukeeper::embed {

/// One question to a daemon, and its answer, whatever its status. `wait`: what the answer may take beyond the usual;
/// `interrupt` ends waiting for it.
/// Errors: of a daemon that does not answer.
Result<Answer> ask_daemon(const client::Daemon& daemon, const Question& question, std::chrono::nanoseconds wait,
                          const Interrupt& interrupt);

/// The daemon of this machine, which keeps its ledger where one runs: looked for in the usual places, and again when it
/// goes or may have come.
///
/// Threads: every member may be called from any.
class LedgerDaemon {
 public:
  explicit LedgerDaemon(const KeeperOptions::Variable& environment);

  /// The one that answered last; where there was none, it is looked for once a second. Nothing where none runs.
  /// Errors: not_permitted for one that does not let this user in.
  Result<std::optional<client::Daemon>> find();

  /// It has gone, or one may have come: the next find() looks.
  void look_again();

 private:
  const KeeperOptions::Variable environment_;  // without what names another machine's
  SystemClock clock_;
  std::mutex mutex_;
  std::optional<client::Daemon> known_;  // guarded by mutex_, as below
  std::optional<MonotonicTime> looked_;
};

}  // namespace gpukeeper::embed
