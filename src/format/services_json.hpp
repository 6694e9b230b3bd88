#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "ledger/ledger.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What one service holds of one device.
struct ServiceHolding {
  std::uint32_t leases = 0;
  Bytes booked{0};                          ///< guaranteed to them
  std::optional<Bytes> observed{Bytes(0)};  ///< what they use; nothing where that is not known of one of them
};

/// One service: what it may, what it has, what it waits for.
struct ServiceView {
  ServiceAccount account;
  std::uint32_t waiting = 0;                      ///< its requests in the queue
  std::map<std::string, ServiceHolding> devices;  ///< by the device's id; only those where it holds something
};

/// Every service that has a quota, or a lease that is not over, by name.
std::vector<ServiceView> service_views(const Ledger& ledger);

/// docs/schema/services.json describes it. The snapshot says what the devices' indices are. On one line without a line
/// end.
std::string services_json(const std::vector<ServiceView>& services, const Snapshot& snapshot, WallTime now);

}  // namespace gpukeeper
