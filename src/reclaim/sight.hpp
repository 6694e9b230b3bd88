#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/ledger.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::reclaim {

/// A process on a device, as its driver lists it.
struct SeenProcess {
  std::string device;  ///< its id
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< 0 where it is not known
  std::string name;               ///< it may hold anything
  std::string user;               ///< empty where it is not known
  Metric<Bytes> memory = missing(Missing::not_supported);
  Metric<Percent> load = missing(Missing::not_supported);
  bool compute = true;   ///< false for one that only draws
  bool mps = false;      ///< a client of NVIDIA's multi-process service
  bool foreign = false;  ///< it has no lease
  LeaseId lease{};       ///< one that it works under; 0 where that is not known
};

/// A device.
struct SeenDevice {
  std::string id;
  std::uint32_t index = 0;
  Metric<Bytes> total = missing(Missing::not_yet_read);
  Metric<Bytes> used = missing(Missing::not_yet_read);
  Metric<Bytes> available = missing(Missing::not_yet_read);  ///< what can be booked of it
  bool lists_processes = false;                              ///< whether its driver says what each process holds
  bool nvidia = false;
  bool ours = true;  ///< false for a simulated or recorded one: its pids are not those of this machine

  /// How much of it is in use, 0 to 1; absent where that is not known.
  Metric<double> fill() const;
};

/// What is known at one moment: what the drivers say, and what is booked.
struct Sight {
  MonotonicTime taken{};   ///< when the drivers were asked
  MonotonicTime booked{};  ///< now, by the ledger's clock: another one where the devices' time is played
  std::vector<SeenDevice> devices;
  std::vector<SeenProcess> processes;
  std::vector<Lease> leases;  ///< that are not over, by id

  const SeenDevice* device(std::string_view id) const;
  const Lease* lease(LeaseId id) const;
  const SeenProcess* process(std::string_view device, std::int64_t pid) const;
};

/// What the drivers say alone.
Sight sight_of(const Snapshot& snapshot);

/// The ledger must have been told of this snapshot, or of one before it: what it says of leases is then a little older.
Sight sight_of(const Ledger& ledger, const Snapshot& snapshot, MonotonicTime booked);

}  // namespace gpukeeper::reclaim
