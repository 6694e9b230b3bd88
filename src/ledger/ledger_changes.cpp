// What is kept, taken back and remembered.

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "ledger/ledger.hpp"
#include "ledger/ledger_parts.hpp"

namespace gpukeeper {
namespace {

// What is left of a time that began then. By the wall clock, as no other one goes on over a restart: one that was set
// back gives all of it again, and no more.
std::chrono::nanoseconds left_of(std::chrono::nanoseconds time, WallTime began, const Moment& at) {
  const auto passed = std::max<std::chrono::nanoseconds>(at.wall - began, std::chrono::nanoseconds(0));
  return std::max(time - passed, std::chrono::nanoseconds(0));
}

bool is_standing(const Lease& lease) {
  return std::holds_alternative<StandingOwner>(lease.owner);
}

bool is_kept(const Lease& lease) {
  return lease.state != LeaseState::waiting && lease.state != LeaseState::ended;
}

// A promise must be written before it is told. The end of one is told after it is written only where it would come
// back: a process' lease that comes back after a crash finds its owner dead, and ends once more.
Durability needed(const Lease* before, const Lease& after) {
  const bool had = before && is_held(before->state);
  const bool has = is_held(after.state);
  const bool promised = has && (!had || before->generation != after.generation);
  const bool ended = had && !has;
  if (!promised && !ended) return Durability::lazy;
  if (is_standing(after)) return Durability::flushed;
  return promised ? Durability::written : Durability::lazy;
}

}  // namespace

void Ledger::remember(LeaseId id, const Lease* before) {
  if (!keeps_changes_ || touched_.contains(id)) return;
  touched_.emplace(id, undo_.size());
  Undo& undo = undo_.emplace_back();
  undo.id = id;
  if (!before) return;
  undo.before = *before;
  if (const auto* rank = queue_.find(id)) {
    undo.rank = *rank;
    undo.waited = queue_.entries().at(*rank).request;
  }
}

LedgerChanges Ledger::changes(std::span<const LeaseId> also) const {
  LedgerChanges changes;
  changes.numbers = numbers_;
  changes.new_ids = numbers_ != accepted_numbers_;
  const std::uint64_t highest = std::max(numbers_.last_id, numbers_.last_token);
  if (highest > numbers_.flushed_limit) {
    changes.numbers.flushed_limit = highest + kBlock;
    changes.durability = Durability::flushed;
  }
  const auto add = [&](LeaseId id, const Lease* before, bool is_undone) {
    const Lease* after = find(id);
    const bool over = !after;
    if (over) after = find_ended(id);
    if (!after || (!over && !is_kept(*after))) return;
    if (is_undone) changes.durability = std::max(changes.durability, needed(before, *after));
    (over ? changes.ended : changes.leases).push_back(*after);
  };
  for (const Undo& undo : undo_) add(undo.id, undo.before ? &*undo.before : nullptr, true);
  for (const LeaseId id : also) {
    if (!touched_.contains(id)) add(id, nullptr, false);
  }
  return changes;
}

void Ledger::accept() {
  const std::uint64_t highest = std::max(numbers_.last_id, numbers_.last_token);
  if (highest > numbers_.flushed_limit) numbers_.flushed_limit = highest + kBlock;
  accepted_numbers_ = numbers_;
  undo_.clear();
  touched_.clear();
  forget_old_history();
  accepted_history_ = history_.size();
  accepted_events_ = events_.size();
}

void Ledger::take_back() {
  history_.resize(accepted_history_);
  events_.resize(std::min(accepted_events_, events_.size()));
  std::vector<Undo> undo;
  undo.swap(undo_);
  const bool kept = std::exchange(keeps_changes_, false);
  for (auto step = undo.rbegin(); step != undo.rend(); ++step) {
    if (const Lease* now = find(step->id)) {
      if (now->state == LeaseState::waiting) queue_.take(step->id);
      if (!step->before) forget_request(*now);
      erase(step->id);
    }
    if (!step->before) continue;
    const Lease& lease = insert(*step->before);
    note_deadline(lease.deadline);
    if (!step->waited) continue;
    queue_.add(step->rank, {lease.id, step->waited});
  }
  keeps_changes_ = kept;
  touched_.clear();
}

void Ledger::keep_changes() {
  keeps_changes_ = true;
  accept();
}

// An id that was given out is none that can be given out again, and a request that was answered is answered alike.
void Ledger::note_restored(const Lease& lease) {
  numbers_.last_id = std::max(numbers_.last_id, number(lease.group) + lease.group_size - 1);
  numbers_.last_token = std::max(numbers_.last_token, lease.fencing_token);
  note_request(lease);
}

void Ledger::restore(LedgerMemory memory, std::string_view boot_id, Moment at) {
  numbers_ = memory.numbers;
  if (memory.boot_id != boot_id) {
    numbers_.last_id = std::max(numbers_.last_id, numbers_.flushed_limit);
    numbers_.last_token = std::max(numbers_.last_token, numbers_.flushed_limit);
  }
  for (Lease& ended : memory.history) history_.push_back(std::move(ended));
  for (const Lease& ended : history_) note_restored(ended);
  accept();
  std::vector<LeaseId> voided;
  for (KeptLease& kept : memory.leases) {
    Lease lease = std::move(kept.lease);
    note_restored(lease);
    const bool older_boot = kept.boot_id != boot_id;
    lease.device = devices_[slot_of(lease.device.text())].id();
    lease.service = service_account(lease.service.text()).name;
    lease.observed = missing(Missing::not_yet_read);
    if (lease.lifetime.count() > 0) lease.over_at = later(at.now, left_of(lease.lifetime, lease.created, at));
    if (is_held(lease.state)) {
      lease.deadline = deadline_of(lease, at);
    } else {
      lease.deadline = lease.state == LeaseState::draining
                           ? later(at.now, left_of(settings_.deallocation_timeout, lease.changed, at))
                           : MonotonicTime::max();
    }
    note_deadline(lease.deadline);
    const Lease& known = insert(std::move(lease));
    touched_.clear();  // it is kept already
    undo_.clear();
    // After a boot nothing of the boot before is in any GPU's memory.
    if (older_boot && (!is_held(known.state) || std::holds_alternative<ProcessOwner>(known.owner))) {
      voided.push_back(known.id);
    }
  }
  for (const LeaseId id : voided) {
    Lease& lease = leases_.at(id);
    finish(lease, is_held(lease.state) ? EndReason::rebooted : lease.reason, at);
  }
}

}  // namespace gpukeeper
