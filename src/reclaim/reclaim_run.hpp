#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "reclaim/holder.hpp"
#include "reclaim/plan.hpp"
#include "reclaim/reclaim_report.hpp"
#include "reclaim/reclaim_settings.hpp"
#include "reclaim/sight.hpp"

namespace gpukeeper::reclaim {

/// What is wanted of a run.
struct ReclaimOrder {
  std::string why = "asked for";
  std::string service;               ///< only its leases; empty: everybody
  std::optional<LeaseId> lease;      ///< only this one
  std::vector<std::string> devices;  ///< only on these, by id; empty: on all
  /// Ask holders on devices below the threshold as well: somebody named a service or a device.
  bool even_below = false;
  /// Room for so much, in place of the threshold: its moves and askings are tried, in its order.
  std::optional<PlanRequest> room;
  Plan plan;           ///< for that room
  bool scrub = false;  ///< holders are asked to overwrite what they give back
  std::chrono::nanoseconds deadline = std::chrono::minutes(5);
};

/// What a run knows of the world beside what it sees.
struct ReclaimFacts {
  std::map<LeaseId, Holder> holders;
  std::function<bool(const ProcessOwner&)> is_gone;                                     ///< never null
  std::function<std::optional<std::chrono::nanoseconds>(const SeenProcess&)> idle_for;  ///< never null
  std::set<std::int64_t> own_pids;  ///< ourselves and those from whom we descend
  std::string no_checkpoint;        ///< why cuda-checkpoint cannot be used; empty when it can
  std::chrono::nanoseconds settle = std::chrono::seconds(10);  ///< for the driver to show a drop
};

/// What is to be done to somebody now.
struct ReclaimAction {
  enum class Kind : std::uint8_t { reap, ask, suspend, terminate };
  std::size_t number = 0;
  Kind kind = Kind::reap;
  LeaseId lease{};                      ///< 0 for a process without one
  EndReason reason = EndReason::none;   ///< of reap
  Holder holder;                        ///< of ask
  HolderRequest request;                ///< of ask
  ProcessOwner process;                 ///< of suspend and terminate: exactly this one
  std::string name;                     ///< of that process
  bool mps = false;                     ///< it is a client of MPS, which must be told first
  std::chrono::nanoseconds patience{};  ///< of suspend and terminate
};

/// One run through the steps: a state machine that is told what is seen and what time it is, and says what to do. It
/// does nothing itself.
///
/// A step is over when everybody whom it acted on has answered, and the driver has shown the promised drop or has had
/// its time. What harms (suspend, terminate) is done only where the configuration names the service or the program, to
/// one holder at a time, the least important first, and only as long as a device still wants memory back.
/// Threads: one at a time.
class ReclaimRun {
 public:
  ReclaimRun(std::uint64_t number, ReclaimOrder order, ReclaimSettings settings, ReclaimFacts facts, Moment start);

  /// What to do now. Call it with each new sight, and after each receipt.
  std::vector<ReclaimAction> advance(const Sight& sight, MonotonicTime now);

  /// What came of an action.
  void receipt(std::size_t action, const Result<HolderReply>& reply, MonotonicTime now);

  /// Ends it as it stands. `why` is a sentence.
  void stop(std::string why, MonotonicTime now);

  bool done() const { return report_.finished; }
  const ReclaimReport& report() const { return report_; }

 private:
  struct Planned {
    Deed deed;
    std::optional<ReclaimAction> action;  // nothing where it cannot be done: the deed says why
    bool even_below = false;              // whatever is still wanted
  };
  using Wave = std::vector<Planned>;
  struct InFlight {
    std::size_t deed = 0;  // of the current step
    std::size_t action = 0;
    std::optional<LeaseId> lease;  // whose memory is measured; the deed's process where there is none
    MonotonicTime sent{};
    std::chrono::nanoseconds patience{};
    std::optional<MonotonicTime> answered;
    bool failed = false;
    bool settled = false;
  };

  void begin(const Sight& sight);
  void begin_stage(const Sight& sight);
  void begin_wave(const Sight& sight, MonotonicTime now, std::vector<ReclaimAction>& actions);
  void measure(const Sight& sight, MonotonicTime now);
  void end_stage(MonotonicTime now);
  void finish(MonotonicTime now);

  void plan_reaping(const Sight& sight);
  void plan_asking(const Sight& sight);
  void plan_moves(const Sight& sight);
  void name(const Sight& sight);
  void plan_suspending(const Sight& sight);
  void plan_terminating(const Sight& sight);

  bool in_scope(std::string_view device) const;
  bool in_scope(const Lease& lease) const;
  bool any_still_wants(const Sight& sight) const;
  Metric<Bytes> still_wanted(const Sight& sight, std::string_view device) const;
  Metric<Bytes> measured(const Sight& sight, const InFlight& flight, const Deed& deed) const;
  Planned asking(const Lease& lease, const std::string& move_to) const;
  std::string why_untouchable(const SeenProcess& process, const Sight& sight) const;
  void skip(std::string why);

  const ReclaimOrder order_;
  const ReclaimSettings settings_;
  const ReclaimFacts facts_;
  const MonotonicTime start_;
  ReclaimReport report_;

  std::size_t stage_ = 0;  // of kStages
  bool begun_ = false;     // the first sight was taken
  bool stage_begun_ = false;
  std::deque<Wave> waves_;
  std::vector<InFlight> flying_;
  std::size_t last_action_ = 0;
};

}  // namespace gpukeeper::reclaim
