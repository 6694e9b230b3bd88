#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"
#include "ledger/ledger.hpp"

namespace gpukeeper::reclaim {

/// The room that is wanted.
struct PlanRequest {
  Bytes min{0};               ///< on each device
  std::uint32_t devices = 1;  ///< that many at once
  std::string device;         ///< the id of one that must be among them; empty: wherever it costs least
};

/// One thing that has to happen before the room is there.
struct PlanStep {
  /// From harmless to harmful: a plan that can do with the former has nothing of the latter.
  enum class Kind : std::uint8_t {
    wait,  ///< a lease that is over: its memory is on its way back
    ask,   ///< a lease that uses more than it is guaranteed: its holder may give that back
    move,  ///< a lease goes to another device, as a whole: its holder starts there anew
    end,   ///< a lease ends
    stop,  ///< a process without a lease ends
  };
  Kind kind = Kind::wait;
  LeaseId lease{};  ///< of all but stop
  std::string service;
  std::int32_t priority = 0;
  std::int64_t pid = 0;  ///< of stop
  std::string name;      ///< of that process: it may hold anything
  std::string from;      ///< a device's id
  std::string to;        ///< of move: the other device's
  Bytes bytes{0};        ///< that `from` gets back
};

std::string_view to_string(PlanStep::Kind kind);

/// What would have to happen so that a wanted size fits. Nothing of it is done.
///
/// Memory of a GPU is addressed virtually, so free pieces need not lie together: between processes there is nothing to
/// defragment. What helps is to move whole holders, and a holder can only be moved by itself.
struct Plan {
  enum class Verdict : std::uint8_t {
    fits,      ///< it fits now
    possible,  ///< after these steps
    never,     ///< whatever is done
  };
  Verdict verdict = Verdict::never;
  std::vector<std::string> devices;  ///< the ids of those on which it fits then
  std::vector<PlanStep> steps;       ///< in an order in which each is possible
  /// Whether no cheaper plan exists; false where there was too much to try, and a cheaper one may.
  bool exact = true;
  std::vector<std::string> reasons;  ///< of never: a sentence a device, why nothing helps there

  Bytes sum(PlanStep::Kind kind) const;
};

std::string_view to_string(Plan::Verdict verdict);

/// How much may be tried.
struct PlanBudget {
  std::size_t items = 24;       ///< leases and processes that are tried in all combinations
  std::size_t nodes = 200'000;  ///< of the tree of combinations, for each group of devices: some 50 ms
  std::size_t groups = 256;     ///< of devices, where several are wanted; of very many leases a sixteenth
};

/// The cheapest plan. One that stops processes is dearer than one that ends leases, this than one that moves them, and
/// so on; then what counts is the highest priority that is ended, then bytes. No move breaks what holds for a lease:
/// its service's devices and neighbours, limits, exclusive use, a name that is taken. A lease that was granted with
/// others on several devices is never moved, as it stands where it is near them.
Plan plan_for(const Ledger& ledger, const PlanRequest& request, const PlanBudget& budget = {});

}  // namespace gpukeeper::reclaim
