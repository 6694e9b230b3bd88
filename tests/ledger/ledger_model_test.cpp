// The ledger against a naive one that keeps no sums and no indexes, but counts everything anew at each question.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "booked_machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr std::array<std::uint64_t, 3> kGpus = {8000, 12000, 8000};  // MiB
constexpr std::size_t kNone = kGpus.size();
constexpr seconds kAgeing{30};
constexpr seconds kPatience{10};

struct Naive {
  struct L {
    std::uint64_t id = 0;
    std::size_t device = kNone;
    std::uint64_t min = 0, max = 0, observed = 0, peak = 0, at_end = 0;  // MiB
    std::int64_t pid = 0;                                                // 0 for a standing one
    int priority = 0;
    bool exclusive = false;
    LeaseState state = LeaseState::waiting;
    EndReason reason = EndReason::none;
    seconds came{}, deadline = seconds::max();

    bool held() const { return state == LeaseState::starting || state == LeaseState::active; }
    bool here(std::size_t d) const { return device == d && (held() || state == LeaseState::draining); }
  };
  std::vector<L> all;
  std::vector<L> over;
  std::uint64_t last = 0;
  std::array<std::map<std::int64_t, std::uint64_t>, 3> used;  // as it was at the last look

  std::uint64_t free(std::size_t d) const {
    std::uint64_t charge = 0, observed = 0, sum = 0;
    for (const L& l : all) {
      if (!l.here(d)) continue;
      charge += std::max(l.min, l.observed);
      observed += l.observed;
    }
    for (const auto& [pid, mib] : used[d]) sum += mib;
    const std::uint64_t cost = charge + (sum > observed ? sum - observed : 0);
    return kGpus[d] > cost ? kGpus[d] - cost : 0;
  }

  bool fits(const L& l, std::size_t d) const {
    std::uint64_t promised = l.max;
    bool occupied = false;
    for (const L& other : all) {
      if (!other.here(d) || other.id == l.id) continue;
      occupied = true;
      if (other.held()) promised += other.max;
      if (other.held() && other.exclusive) return false;
    }
    if (l.exclusive && occupied) return false;
    for (const auto& [pid, mib] : used[d]) {
      const bool leased = std::ranges::any_of(
          all, [&, pid = pid](const L& o) { return o.pid == pid && o.device == d && o.state != LeaseState::waiting; });
      if (l.exclusive && !leased && mib > 0) return false;
    }
    return l.min <= free(d) && promised <= kGpus[d];
  }

  static seconds rank(const L& l) { return l.came - kAgeing * l.priority; }
  std::vector<L*> queue() {
    std::vector<L*> waiting;
    for (L& l : all) {
      if (l.state == LeaseState::waiting) waiting.push_back(&l);
    }
    std::ranges::sort(waiting,
                      [](const L* a, const L* b) { return std::tuple(rank(*a), a->id) < std::tuple(rank(*b), b->id); });
    return waiting;
  }
  std::size_t best(const L& l, const std::array<bool, 3>& claimed) const {
    std::size_t best = kNone;
    for (std::size_t d = 0; d < kNone; ++d) {
      if (!claimed[d] && fits(l, d) && (best == kNone || free(d) > free(best))) best = d;
    }
    return best;
  }
  static void claim(const L& l, std::array<bool, 3>& claimed) {
    for (std::size_t d = 0; d < kNone; ++d) claimed[d] = claimed[d] || l.max <= kGpus[d];
  }
  void serve() {
    std::array<bool, 3> claimed{};
    for (L* l : queue()) {
      const std::size_t d = best(*l, claimed);
      if (d == kNone) {
        claim(*l, claimed);
        continue;
      }
      l->state = LeaseState::starting;
      l->device = d;
      l->deadline = seconds::max();
    }
  }

  // The id, or 0.
  std::uint64_t reserve(L l, bool waits, seconds now) {
    l.came = now;
    l.id = last + 1;
    std::array<bool, 3> claimed{};
    for (const L* before : queue()) {
      if (rank(*before) <= rank(l)) claim(*before, claimed);
    }
    const std::size_t d = best(l, claimed);
    if (d != kNone) {
      l.device = d;
      l.state = LeaseState::starting;
    } else if (!waits || std::ranges::none_of(kGpus, [&](auto mib) { return l.max <= mib; })) {
      return 0;
    } else {
      l.deadline = now + 30s;
    }
    all.push_back(l);
    return last = l.id;
  }

  void finish(std::uint64_t id, EndReason why) {
    const auto found = std::ranges::find(all, id, &L::id);
    over.push_back(*found);
    over.back().reason = why;
    over.back().state = LeaseState::ended;
    all.erase(found);
  }
  void end(std::uint64_t id, EndReason why, seconds now) {
    L& l = *std::ranges::find(all, id, &L::id);
    if (l.state == LeaseState::waiting) return finish(id, why == EndReason::released ? EndReason::cancelled : why);
    if (!l.held()) return;
    if (l.peak == 0 && why == EndReason::released) return finish(id, why);
    l.state = LeaseState::draining;
    l.reason = why;
    l.at_end = l.observed;
    l.deadline = now + kPatience;
  }
  void resize(std::uint64_t id, std::uint64_t min, seconds now) {
    const auto found = std::ranges::find(all, id, &L::id);
    if (found == all.end() || !found->held() || min == 0) return;
    L& l = *found;
    if (min > l.min) {
      std::array<bool, 3> claimed{};
      for (const L* before : queue()) {
        if (rank(*before) <= now - kAgeing * l.priority) claim(*before, claimed);
      }
      const std::uint64_t more = std::max(min, l.observed) - std::max(l.min, l.observed);
      std::uint64_t promised = min;
      for (const L& other : all) {
        if (other.device == l.device && other.held() && other.id != id) promised += other.max;
      }
      if (claimed[l.device] || more > free(l.device) || promised > kGpus[l.device]) return;
    }
    const bool less = min <= l.min;
    l.min = l.max = min;
    if (less) serve();
  }
  void tick(seconds now) {
    bool any = false;
    for (const L& l : std::vector<L>(all)) {
      if (l.deadline > now) continue;
      any = true;
      if (l.state == LeaseState::waiting) {
        finish(l.id, EndReason::timed_out);
      } else {
        L& leak = *std::ranges::find(all, l.id, &L::id);
        leak.state = LeaseState::leaked;
        leak.deadline = seconds::max();
      }
    }
    if (any) serve();
  }
  void look(const std::array<std::map<std::int64_t, std::uint64_t>, 3>& now_used) {
    used = now_used;
    for (const L& seen : std::vector<L>(all)) {
      L& l = *std::ranges::find(all, seen.id, &L::id);
      if (l.state == LeaseState::waiting) continue;
      const auto process = used[l.device].find(l.pid);
      l.observed = l.pid == 0 || process == used[l.device].end() ? 0 : process->second;
      l.peak = l.held() ? std::max(l.peak, l.observed) : l.peak;
      if (l.state == LeaseState::starting && l.observed > 0) l.state = LeaseState::active;
      if (l.held()) continue;
      const bool back = l.observed <= 1 || (l.reason == EndReason::released && l.observed <= l.at_end / 4);
      if (back) finish(l.id, l.reason);
    }
    serve();
  }
};

// What happens next: which of the cases, and three numbers that it uses as it likes.
using Step = std::tuple<std::uint8_t, std::uint16_t, std::uint16_t, std::uint8_t>;

class Pair {
 public:
  explicit Pair(bool keeps_changes) : machine_({kGpus[0], kGpus[1], kGpus[2]}), keeps_changes_(keeps_changes) {
    if (keeps_changes) machine_.ledger.keep_changes();
  }

  void take(const Step& step) {
    const auto [kind, a, b, c] = step;
    const std::uint64_t id = a % (naive_.last + 2);
    // Now and then a journal cannot be written: everything is as before, on both sides.
    const bool fails = keeps_changes_ && c % 16 == 15;
    const Naive before = naive_;
    switch (kind % 8) {
      case 0:
      case 1:
      case 2: reserve(a % 9000 + 1, b, c); break;
      case 3: release(id); break;
      case 4: die(id); break;
      case 5: use(id, b % 10000, c); break;
      case 6: resize(id, b % 6000 + 1); break;
      case 7: pass(seconds(b % 12)); break;
    }
    if (fails && kind % 8 != 5 && kind % 8 != 7) {
      const std::uint64_t ids = naive_.last;
      naive_ = before;
      naive_.last = ids;  // ids are never given out again
      machine_.ledger.take_back();
    } else {
      machine_.ledger.accept();
    }
    compare();
  }

 private:
  seconds now() const { return std::chrono::duration_cast<seconds>(machine_.now); }

  void reserve(std::uint64_t mib, std::uint16_t b, std::uint8_t c) {
    Naive::L l;
    l.min = mib;
    l.max = b % 3 == 0 ? mib + b % 500 : mib;
    l.priority = c % 3;
    l.exclusive = b % 7 == 0;
    l.pid = b % 2 == 0 ? ++last_pid_ : 0;
    const bool waits = c % 2 == 0;

    LeaseRequest r = BookedMachine::request("s" + std::to_string(b % 3), mib);
    r.max = from_mib(l.max);
    r.priority = l.priority;
    r.exclusive = l.exclusive;
    if (l.pid > 0) r.owner = ProcessOwner{l.pid, static_cast<std::uint64_t>(l.pid) * 10};
    if (waits) r.wait = 30s;
    const auto booking = machine_.ledger.reserve(r, machine_.at());
    const std::uint64_t expected = naive_.reserve(l, waits, now());
    RC_ASSERT((booking ? number(booking->id) : 0) == expected);
  }

  void release(std::uint64_t id) {
    const bool known = std::ranges::find(naive_.all, id, &Naive::L::id) != naive_.all.end();
    const auto ended = machine_.ledger.release(LeaseId{id}, std::nullopt, machine_.at());
    RC_ASSERT(ended.has_value() == (id > 0 && id <= naive_.last));
    if (!known) return;
    naive_.end(id, EndReason::released, now());
    naive_.serve();
  }

  void die(std::uint64_t id) {
    const auto found = std::ranges::find(naive_.all, id, &Naive::L::id);
    if (found == naive_.all.end() || found->pid == 0) return;
    const std::int64_t pid = found->pid;
    machine_.ledger.owner_gone({pid, static_cast<std::uint64_t>(pid) * 10}, machine_.at());
    if (!found->held() && found->state != LeaseState::waiting) return;
    naive_.end(id, EndReason::owner_died, now());
    naive_.serve();
  }

  // A process uses so much now: the owner of a lease, or a stranger. Nobody can use more than there is.
  void use(std::uint64_t id, std::uint64_t mib, std::uint8_t c) {
    const auto found = std::ranges::find(naive_.all, id, &Naive::L::id);
    const bool owner = found != naive_.all.end() && found->pid > 0 && found->device != kNone;
    const std::size_t device = owner ? found->device : c % 3u;
    const std::int64_t pid = owner ? found->pid : 1'000'000 + c % 2;
    if (c % 4 == 0) mib = 0;
    auto& there = used_[device];
    std::uint64_t others = 0;
    for (const auto& [other, bytes] : there) others += other == pid ? 0 : bytes;
    mib = std::min(mib, kGpus[device] - others);
    there[pid] = mib;
    if (mib == 0) there.erase(pid);
    machine_.use(device, pid, mib);
  }

  void resize(std::uint64_t id, std::uint64_t mib) {
    static_cast<void>(machine_.ledger.resize(LeaseId{id}, std::nullopt, from_mib(mib), from_mib(mib), machine_.at()));
    naive_.resize(id, mib, now());
  }

  void pass(seconds time) {
    machine_.now += time;
    machine_.look();
    naive_.tick(now());
    naive_.look(used_);
  }

  void compare() const {
    const Ledger& ledger = machine_.ledger;
    RC_ASSERT(ledger.size() == naive_.all.size());
    for (const Naive::L& l : naive_.all) {
      const Lease* lease = ledger.find(LeaseId{l.id});
      RC_ASSERT(lease != nullptr);
      RC_ASSERT(to_string(lease->state) == to_string(l.state));
      RC_ASSERT(to_string(lease->reason) == to_string(l.reason));
      RC_ASSERT(lease->device.text() == (l.device == kNone ? "" : BookedMachine::name(l.device)));
      RC_ASSERT((lease->min.value() >> 20) == l.min);
      RC_ASSERT((lease->observed.value_or(Bytes(0)).value() >> 20) == l.observed);
    }
    RC_ASSERT(ledger.history().size() == naive_.over.size());
    for (std::size_t i = 0; i < naive_.over.size(); ++i) {
      RC_ASSERT(number(ledger.history()[i].id) == naive_.over[i].id);
      RC_ASSERT(to_string(ledger.history()[i].reason) == to_string(naive_.over[i].reason));
    }
    for (std::size_t d = 0; d < kGpus.size(); ++d) check_sums(d);
  }

  // The sums that are kept are those that are counted; nobody is promised more than there is; and nothing that the
  // driver says is lost.
  void check_sums(std::size_t d) const {
    const DeviceAccount& account = machine_.ledger.devices()[d];
    DeviceAccount::Sums sums;
    for (const Lease& lease : machine_.ledger.leases()) {
      if (lease.device == account.id()) sums.change(lease, 1);
    }
    RC_ASSERT(account.sums() == sums);
    RC_ASSERT(account.booked() <= *account.capacity());
    RC_ASSERT((account.available().value().value() >> 20) == naive_.free(d));
    std::uint64_t used = 0;
    for (const auto& [pid, mib] : naive_.used[d]) used += mib;
    RC_ASSERT(((account.observed() + *account.unmanaged()).value() >> 20) == used);
  }

  BookedMachine machine_;
  Naive naive_;
  std::array<std::map<std::int64_t, std::uint64_t>, 3> used_;
  std::int64_t last_pid_ = 0;
  bool keeps_changes_;
};

TEST(LedgerModelTest, ItDoesWhatTheNaiveOneDoes) {
  EXPECT_TRUE(rc::check("ledger", [](const std::vector<Step>& steps) {
    Pair pair(false);
    for (const Step& step : steps) pair.take(step);
  }));
}

TEST(LedgerModelTest, WhatIsTakenBackNeverHappened) {
  EXPECT_TRUE(rc::check("ledger that is taken back", [](const std::vector<Step>& steps) {
    Pair pair(true);
    for (const Step& step : steps) pair.take(step);
  }));
}

}  // namespace
}  // namespace gpukeeper
