#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
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
/// Threads: add() belongs to one; account() may be called from any.
class Accountant {
 public:
  explicit Accountant(AccountantOptions options = {}) : options_(options) {}

  /// Takes the next snapshot in. One that is not later than the one before is left out. `leased` may be a tick older.
  void add(const Snapshot& snapshot, std::span<const LeasedProcess> leased = {});

  Account account() const;

  static constexpr std::size_t kMostParties = 20'000;  ///< more than these count as a user "(others)"
  static constexpr std::size_t kMostAlerts = 2'000;    ///< the oldest that are over are forgotten first

 private:
  struct Stretch;
  using Sights = std::map<std::uint32_t, Sight>;  // by place of the device

  std::uint32_t place_of(const DeviceSnapshot& device);
  std::uint32_t place_of(const Party& party);
  static void count_energy(const Stretch& stretch, DeviceUse& use);
  static void count_sensors(const Stretch& stretch, DeviceUse& use);
  void count_parties(const Stretch& stretch, std::uint32_t place, Slot& slot);
  void count(const Stretch& stretch, std::uint32_t place, Slot& slot);
  Slot& slot_at(WallTime at);
  void close_slot();
  void coarsen();
  void forget();
  void note_alerts(const Snapshot& snapshot);

  const AccountantOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_, all.
  Account account_;  // without the open slot, and without alerts
  Slot open_;
  std::map<DeviceId, std::uint32_t> device_places_;
  std::map<Party, std::uint32_t> party_places_;
  std::map<std::string, Alert> alerts_;  // by id
  std::shared_ptr<const AlertList> alerts_seen_;
  Sights before_;
  std::optional<MonotonicTime> at_;  // of the snapshot before
  Pace pace_;
};

}  // namespace gpukeeper::account
