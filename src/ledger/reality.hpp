#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/lease.hpp"
#include "ledger/topology.hpp"

namespace gpukeeper {

/// One process on a device, as the driver lists it, and what else is known of whose it is.
struct ObservedProcess {
  std::int64_t pid = 0;
  /// Its pid is one of another machine (a simulated, a recorded one) or of another pid namespace: it is nobody's whom
  /// we know by his pid.
  bool elsewhere = false;
  std::uint64_t start_ticks = 0;  ///< 0 where it is not known; then the pid alone counts
  std::string name;               ///< as the source gave it: it may hold anything
  Metric<Bytes> memory = missing(Missing::not_supported);
  bool compute = true;                  ///< false for one that only draws (a display server)
  std::vector<std::int64_t> forebears;  ///< its parent, its parent's parent, …; empty where it is not known
  LeaseId lease{};                      ///< that it says it runs under (GPUKEEPER_LEASE); 0 for none
  std::optional<std::uint32_t> uid;     ///< its user, who may name his own leases only; root any
  std::string service;                  ///< that it is known to belong to (its systemd unit); empty for none
};

/// One device as its driver shows it at one instant.
struct DeviceReality {
  std::string id;
  std::uint32_t index = 0;  ///< for people
  std::string name;
  bool available = true;
  std::string unavailable_because;  ///< a sentence
  /// Why it takes nothing new although it is there: a phrase that fits after "GPU 0"; empty when it does.
  /// "is too hot", "is divided into partitions: ask for one of them".
  std::string closed_because;
  Metric<Bytes> total = missing(Missing::not_yet_read);
  Metric<Bytes> reserved = missing(Missing::not_supported);  ///< by the driver; where absent it is part of `used`
  Metric<Bytes> used = missing(Missing::not_yet_read);       ///< without what is reserved
  bool unified = false;                                      ///< its memory is the processors' too
  Metric<Celsius> temperature = missing(Missing::not_supported);
  Metric<Percent> load = missing(Missing::not_supported);
  /// Absent when they cannot be listed: then nobody knows whose the used memory is.
  std::optional<std::vector<ObservedProcess>> processes;
};

/// What the drivers of the machine say at one tick.
struct Reality {
  std::vector<DeviceReality> devices;
  Topology topology;  ///< of these devices, in their order
};

}  // namespace gpukeeper
