#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "format/json_text.hpp"
#include "ledger/account.hpp"
#include "ledger/lease.hpp"
#include "ledger/ledger.hpp"
#include "ledger/refusal.hpp"
#include "ledger/service_account.hpp"

// Included by source files only: the library is heavy. docs/schema/leases.json describes what is made here.

namespace gpukeeper {

/// What the ledger does not know of a device.
struct DeviceLabel {
  std::optional<std::uint32_t> index;  ///< nothing for one that has gone
  bool simulated = false;
  bool recorded = false;
};

/// A lease, and what is told with it.
struct LeaseView {
  Lease lease;
  DeviceLabel device;
  std::string user;  ///< the name of its uid; empty where none is known
};

/// The ledger at one moment, or a part of it.
struct LeaseBook {
  WallTime taken_at{};
  MonotonicTime now{};
  std::optional<Error> closed;
  std::vector<std::pair<DeviceAccount, DeviceLabel>> devices;
  std::vector<LeaseView> leases;
  std::vector<LeaseId> waiting;                 ///< in the order in which they are served
  std::optional<std::vector<LeaseView>> ended;  ///< nothing where nobody asked for them
};

Json lease_object(const LeaseView& view, MonotonicTime now);

/// gpukeeper.lease/1: what a request, a look at one lease and a change of one are answered.
Json lease_document(const std::vector<LeaseView>& leases, MonotonicTime now, bool repeated = false,
                    const std::string& note = {});
/// gpukeeper.leases/1.
Json leases_document(const LeaseBook& book);
/// gpukeeper.ending/1. `observed`: what the driver still shows of it; nothing where that is not known, or it is over.
Json ending_document(LeaseId id, const Ending& ending, std::optional<Bytes> observed, const std::string& note = {});
/// gpukeeper.endings/1.
Json endings_document(std::size_t ended);
/// What a service may: the `quota` of the next, and of services_json.
Json quota_object(const ServiceQuota& quota);
/// gpukeeper.quotas/1, by name.
Json quotas_document(const std::vector<ServiceAccount>& services);

/// The `refusal` of a problem document: what stands in the way, device by device.
Json refusal_object(const Refusal& refusal);

/// The published schema of all these documents, told apart by their `schema`, and of the problem document of a refusal
/// (JSON Schema 2020-12).
std::string leases_schema();

}  // namespace gpukeeper
