#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "account/account.hpp"
#include "account/sight.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::account {

struct AccountantOptions {
  std::chrono::seconds fine = std::chrono::minutes(10);     ///< length of a new slot
  std::chrono::seconds coarse = std::chrono::hours(1);      ///< of an old one; a multiple of `fine`
  std::chrono::seconds fine_kept = std::chrono::hours(48);  ///< older slots become coarse
  std::chrono::seconds kept = std::chrono::hours(31 * 24);  ///< still older ones are forgotten
};

/// For how long a reading speaks, by how far apart the readings are: until the next one, but over no gap. The pace is
/// learned, as a recording has its own.
class Pace {
 public:
  /// Whether a reading speaks for the time until the next one, which came so much later.
  bool spans(std::chrono::nanoseconds apart);

 private:
  std::array<std::chrono::nanoseconds, 16> latest_{};  // a ring; zero where there is none yet
  std::size_t next_ = 0;
};

/// Keeps the account of who used the devices.
///
/// A reading speaks for the time until the next one. Energy is the difference of the device's own counter where it has
/// one, else its power times the time; where neither is told, the time is counted as time whose energy nobody knows. A
/// gap in the readings (monitoring was off, the machine slept) is counted nowhere.
///
/// A date that was set back or ahead: what is measured counts in the slot of the date that the clock tells, together
/// with what was counted there before. Old slots are given up only after an hour without a jump, so that a clock that
/// is years ahead for a moment takes nothing away.
///
/// Threads: add() belongs to one; all else may be called from any.
class Accountant {
 public:
  explicit Accountant(AccountantOptions options = {}) : options_(options) {}

  /// Takes the next snapshot in. One that is not later than the one before is left out. `leased` may be a tick older.
  void add(const Snapshot& snapshot, std::span<const LeasedProcess> leased = {});

  Account account() const;

  /// Takes in what a process before this one has counted. Once, as it is added. `complete_since`: from then on nothing
  /// was left out of it.
  void restore(const Account& kept, WallTime complete_since);

  /// A stretch of time further back than the memory goes, in which something was counted all the same, as somebody set
  /// the clock back: what is kept of it is to be learned before it is saved, or that would take its place.
  struct Unknown {
    WallTime begin;
    WallTime end;
    std::vector<std::pair<WallTime, WallTime>> known;  ///< what is known of that time and what lies around it; by begin
  };
  /// Nothing where all is known. take_changes() leaves it out until then.
  std::optional<Unknown> unknown() const;
  /// Takes in what is kept of that stretch, but for what is known of it.
  void learn(const Unknown& stretch, const Account& kept);

  /// From when on account() leaves nothing out of what was ever counted; nothing before restore().
  std::optional<WallTime> complete_since() const;

  /// What changed since this was called last: of slots, the whole sums of each that did. Nothing when nothing did.
  std::optional<Account> take_changes();
  /// These were not kept: they count as changed again.
  void change_again(const Account& changes);
  /// All counts as changed.
  void change_all();

  /// The date as of the latest reading, once the clock has gone without a jump for an hour.
  std::optional<WallTime> steady_date() const;

  static constexpr std::size_t kMostParties = 20'000;  ///< more than these count as a user "(others)"
  static constexpr std::size_t kMostAlerts = 2'000;    ///< the oldest that are over are forgotten first

 private:
  struct Stretch;
  using Sights = std::map<std::uint32_t, Sight>;  // by place of the device
  using AlertKey = std::pair<WallTime, std::string>;

  std::uint32_t place_of(const DeviceSnapshot& device);
  std::uint32_t place_of(const AccountedDevice& device);
  std::uint32_t place_of(const Party& party);
  static void count_energy(const Stretch& stretch, DeviceUse& use);
  static void count_sensors(const Stretch& stretch, DeviceUse& use);
  static void count_nobodys(const Stretch& stretch, DeviceUse& use);
  void count_parties(const Stretch& stretch, std::uint32_t place, Slot& slot);
  void count(const Stretch& stretch, std::uint32_t place, Slot& slot);
  Slot& slot_at(WallTime at);
  void close_slot();
  void insert(Slot slot);
  std::optional<Slot> take_slot(WallTime at);
  void note_date(const Snapshot& snapshot);
  bool is_steady() const;
  void coarsen();
  void forget();
  void forget_parties();
  void forget_pods();
  void merge(const Account& kept, const std::vector<std::shared_ptr<const Slot>>& counted);
  void note_pods(const Sight& sight);
  void note_alerts(const Snapshot& snapshot);
  void end_unknown_alerts(const AlertList& known);

  const AccountantOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_, all.
  Account account_;  // without the open slot, and without alerts
  Slot open_;
  std::map<DeviceId, std::uint32_t> device_places_;
  std::map<Party, std::uint32_t> party_places_;
  std::size_t parties_looked_at_ = 0;  // so many there were when it was last asked which are used
  std::map<AlertKey, Alert> alerts_;
  std::shared_ptr<const AlertList> alerts_seen_;
  std::set<WallTime> changed_slots_;  // their begins
  std::set<WallTime> unknown_slots_;  // begins of those that may stand in the store with more in them
  std::set<AlertKey> changed_alerts_;
  std::set<std::string> changed_pods_;  // their uids
  std::optional<WallTime> complete_since_;
  std::optional<WallTime> unknown_alerts_;  // those of a process before are to be looked for; it ended then
  std::chrono::nanoseconds steady_{0};      // for how long the date has gone without a jump
  Sights before_;
  std::optional<MonotonicTime> at_;  // of the snapshot before
  Pace pace_;
};

}  // namespace gpukeeper::account
