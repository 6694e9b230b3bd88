#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/device.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// The account of one device or partition, as the ledger had it after a look at its driver.
struct BookedDevice {
  DeviceId id;
  Metric<Bytes> capacity = missing(Missing::not_yet_read);   ///< what can be booked at all
  Metric<Bytes> available = missing(Missing::not_yet_read);  ///< what can be granted now
  Metric<Bytes> unmanaged = missing(Missing::not_yet_read);  ///< used, and no lease's
  Bytes booked{0};                                           ///< guaranteed to leases that are held
  Bytes charged{0};                                          ///< of each of these what is guaranteed or observed
  Bytes draining{0};                                         ///< the same of leases that are over
  Bytes leaked{0};                                           ///< still in use by leases that are over for long
  std::uint32_t leases = 0;                                  ///< that are held
  std::vector<std::int64_t> ours;                            ///< processes under a lease, in order
  std::vector<std::int64_t> foreign;                         ///< processes under none, in order
  friend bool operator==(const BookedDevice&, const BookedDevice&) = default;
};

/// A lease that somebody should look at.
struct BookedLease {
  std::uint64_t id = 0;
  std::string service;  ///< it may hold anything
  DeviceId device;
  Metric<Bytes> observed = missing(Missing::not_yet_read);  ///< what its processes hold
  Bytes most{0};                                            ///< what they may hold
  std::vector<std::int64_t> pids;
  friend bool operator==(const BookedLease&, const BookedLease&) = default;
};

/// What is booked, in short: for the snapshot. It may be a tick older than the readings beside it.
struct Booked {
  std::vector<BookedDevice> devices;
  std::vector<BookedLease> overused;  ///< held, and more than its most is in use; by id
  std::vector<BookedLease> leaked;    ///< over for long, and not given back; by id
  std::string closed;                 ///< why nothing is granted, a sentence; empty when it is
  friend bool operator==(const Booked&, const Booked&) = default;
};

}  // namespace gpukeeper
