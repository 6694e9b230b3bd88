// How leases end.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ledger/ledger.hpp"
#include "ledger/ledger_parts.hpp"

namespace gpukeeper {
namespace {

// Longer without a tick, and nobody could be heard: the process was stopped, or the machine slept.
constexpr std::chrono::seconds kSilence{10};

}  // namespace

Result<void> Ledger::may_end(const Lease& lease) const {
  const bool must_be_kept = std::holds_alternative<StandingOwner>(lease.owner) && is_held(lease.state);
  if (writable_ || !must_be_kept) return {};
  return tl::make_unexpected(*closed_);
}

// It takes leave of its holder. Whether its memory is back is seen at the next look at the device at the earliest.
void Ledger::end(Lease& lease, EndReason why, Moment at) {
  if (lease.state == LeaseState::waiting) {
    remember(lease.id, &lease);
    queue_.take(lease.id);
    finish(lease, why == EndReason::released ? EndReason::cancelled : why, at);
    return;
  }
  // Who gives back what it was never seen to use has nothing to give; and where nobody says what a lease uses, the
  // device's whole use stays charged anyway.
  const bool nothing_seen = lease.peak == Bytes(0) && (why == EndReason::released || !lease.observed);
  if (nothing_seen || settings_.bookkeeping_only) {
    finish(lease, why, at);
    return;
  }
  change(lease, [&](Lease& l) {
    l.state = LeaseState::draining;
    l.reason = why;
    l.changed = at.wall;
    l.at_end = l.observed.value_or(Bytes(0));
    l.deadline = later(at.now, settings_.deallocation_timeout);
    l.overused = false;
  });
  note_deadline(lease.deadline);
}

void Ledger::finish(Lease& lease, EndReason why, Moment at) {
  remember(lease.id, &lease);
  Lease ended = lease;
  ended.state = LeaseState::ended;
  ended.reason = why;
  ended.changed = at.wall;
  ended.deadline = MonotonicTime::max();
  ended.overused = false;
  erase(lease.id);
  history_.push_back(std::move(ended));
  if (!keeps_changes_) forget_old_history();
}

void Ledger::forget_old_history() {
  while (history_.size() > settings_.history) {
    forget_request(history_.front());
    history_.pop_front();
  }
}

Result<Ending> Ledger::release(LeaseId id, std::optional<std::uint32_t> generation, Moment at, EndReason why) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) {
    if (id == LeaseId{} || number(id) > numbers_.last_id) {
      return fail(Errc::not_found, fmt::format("there is no lease {}", number(id)));
    }
    return Ending{.state = LeaseState::ended, .already = true};
  }
  const Lease& lease = found->second;
  if (generation && *generation != lease.generation) return tl::make_unexpected(stale_generation(lease, *generation));
  if (!is_held(lease.state) && lease.state != LeaseState::waiting) return Ending{.state = lease.state, .already = true};
  if (auto may = may_end(lease); !may) return tl::make_unexpected(may.error());
  const LeaseId first = lease.group;
  const std::uint32_t size = lease.state == LeaseState::waiting ? 1 : lease.group_size;
  Ending ending;
  for (std::uint32_t i = 0; i < size; ++i) {
    const LeaseId member{number(first) + i};
    const auto one = leases_.find(member);
    if (one == leases_.end() || (!is_held(one->second.state) && one->second.state != LeaseState::waiting)) continue;
    end(one->second, why, at);
    if (leases_.contains(member)) ending.state = LeaseState::draining;
  }
  serve(at);
  return ending;
}

Result<std::size_t> Ledger::release_all(std::string_view service, std::string_view device, Moment at,
                                        std::optional<std::uint32_t> uid) {
  std::vector<LeaseId> theirs;
  for (const auto& [id, lease] : leases_) {
    if (!is_held(lease.state) || lease.device != device || !ServiceEqual()(lease.service.text(), service)) continue;
    if (uid && lease.uid != *uid) continue;
    if (auto may = may_end(lease); !may) return tl::make_unexpected(may.error());
    theirs.push_back(id);
  }
  std::ranges::sort(theirs);
  for (const LeaseId id : theirs) {
    if (auto ended = release(id, std::nullopt, at); !ended) return tl::make_unexpected(ended.error());
  }
  return theirs.size();
}

std::size_t Ledger::owner_gone(const ProcessOwner& owner, Moment at) {
  std::vector<LeaseId> theirs;
  for (const auto& [id, lease] : leases_) {
    if (lease.state != LeaseState::waiting && !is_held(lease.state)) continue;
    if (const auto* process = std::get_if<ProcessOwner>(&lease.owner); process && *process == owner)
      theirs.push_back(id);
  }
  std::ranges::sort(theirs);
  for (const LeaseId id : theirs) end_by_itself(leases_.at(id), EndReason::owner_died, at);
  if (!theirs.empty()) serve(at);
  return theirs.size();
}

void Ledger::end_by_itself(Lease& lease, EndReason why, Moment at) {
  const LeaseId id = lease.id;
  end(lease, why, at);
  const bool over = !leases_.contains(id);
  events_.push_back({over ? LedgerEvent::Kind::ended : LedgerEvent::Kind::draining, id, {}});
}

void Ledger::tick(Moment at) {
  if (ticked_ && at.now - *ticked_ > kSilence) {
    for (auto& [id, lease] : leases_) {
      const auto* owner = std::get_if<HeartbeatOwner>(&lease.owner);
      if (!owner || !is_held(lease.state)) continue;
      // Who was heard meanwhile has had his time since then.
      const auto unheard = at.now - std::max(*ticked_, lease.deadline - owner->ttl);
      if (unheard > unheard.zero()) lease.deadline = std::min(later(lease.deadline, unheard), lease.over_at);
    }
  }
  ticked_ = std::max(ticked_.value_or(at.now), at.now);
  if (at.now < next_deadline_) return;
  std::vector<LeaseId> due;
  MonotonicTime next = MonotonicTime::max();
  for (const auto& [id, lease] : leases_) {
    if (lease.deadline <= at.now) {
      due.push_back(id);
    } else {
      next = std::min(next, lease.deadline);
    }
  }
  next_deadline_ = next;
  std::ranges::sort(due);
  for (const LeaseId id : due) {
    Lease& lease = leases_.at(id);
    if (lease.state == LeaseState::waiting) {
      end_by_itself(lease, EndReason::timed_out, at);
    } else if (is_held(lease.state)) {
      end_by_itself(lease, EndReason::expired, at);
    } else {
      change(lease, [&](Lease& l) {
        l.state = LeaseState::leaked;
        l.changed = at.wall;
        l.deadline = MonotonicTime::max();
      });
      events_.push_back({LedgerEvent::Kind::leaked, id, {}});
    }
  }
  if (!due.empty()) serve(at);
}

}  // namespace gpukeeper
