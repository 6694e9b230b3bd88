#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "actuators/process_freezer.hpp"
#include "booking/book_settings.hpp"
#include "booking/housekeeping.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/log.hpp"

namespace gpukeeper {

/// Does about overused leases what the policy says: asks their holders, then their processes to end (SIGTERM), then
/// ends them (SIGKILL), a pause before each. By itself it does nothing.
///
/// A signal goes to who uses this lease and no other, by pidfd and start time; never to us, to process 1, to a display
/// server, a compositor or a service of the driver (must_run), nor to anybody where pids count otherwise than ours.
///
/// Threads: look() belongs to one; the others may be called from any.
class OveruseEnforcer {
 public:
  /// Hands the asking over and returns at once; false when nobody could take it now: it is tried again at the next
  /// look.
  using Ask = std::function<bool(const OverusedLease&)>;

  OveruseEnforcer(OveruseSettings settings, std::shared_ptr<const Files> files, std::shared_ptr<Signals> signals,
                  std::shared_ptr<const Clock> clock, Log& log);

  /// Who asks holders; without one the log says that nobody could.
  void ask_with(Ask ask);
  void configure(const OveruseSettings& settings);

  /// All that are overused now: one that is missing is forgiven.
  void look(const std::vector<OverusedLease>& overused);

 private:
  struct Case {
    MonotonicTime since{};
    std::optional<MonotonicTime> asked, told_to_end, ended;
  };

  void go_on(Case& one, const OverusedLease& lease, const OveruseSettings& settings, const Ask& ask);
  void signal_all(const OverusedLease& lease, int signal, std::string_view what);

  const std::shared_ptr<const Files> files_;
  const std::shared_ptr<Signals> signals_;
  const std::shared_ptr<const Clock> clock_;
  Log& log_;
  std::mutex mutex_;
  OveruseSettings settings_;       // guarded by mutex_
  Ask ask_;                        // guarded by mutex_
  std::map<LeaseId, Case> cases_;  // of look()
};

}  // namespace gpukeeper
