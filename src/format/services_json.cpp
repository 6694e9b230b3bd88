#include "format/services_json.hpp"

#include <algorithm>
#include <utility>

#include "core/rfc3339.hpp"
#include "format/columns.hpp"
#include "format/leases_json.hpp"

namespace gpukeeper {
namespace {

void add(ServiceView& view, const Lease& lease) {
  if (lease.state == LeaseState::waiting) ++view.waiting;
  if (!holds_memory(lease.state)) return;
  ServiceHolding& holding = view.devices[lease.device.text()];
  ++holding.leases;
  holding.booked = holding.booked + lease.min;
  if (!lease.observed) {
    holding.observed.reset();
  } else if (holding.observed) {
    holding.observed = *holding.observed + *lease.observed;
  }
}

Json bytes_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? Json(bytes->value()) : Json();
}

// Null of a device that has gone.
Json index_of(const Snapshot& snapshot, const std::string& id) {
  for (const Place& place : places(snapshot)) {
    if (place.device->device->id.text == id) return index_text(place);
  }
  return {};
}

Json service_json(const ServiceView& service, const Snapshot& snapshot) {
  Json devices = Json::array();
  std::optional<Bytes> observed{Bytes(0)};
  for (const auto& [id, holding] : service.devices) {
    if (!holding.observed) observed.reset();
    if (observed) observed = *observed + *holding.observed;
    devices.push_back({{"index", index_of(snapshot, id)},
                       {"uuid", id},
                       {"leases", holding.leases},
                       {"booked_bytes", holding.booked.value()},
                       {"observed_bytes", bytes_or_null(holding.observed)}});
  }
  const ServiceAccount& account = service.account;
  return {{"service", account.name.text()},
          {"quota", account.quota ? quota_object(*account.quota) : Json()},
          {"leases", account.leases},
          {"waiting", service.waiting},
          {"booked_bytes", account.booked.value()},
          {"observed_bytes", bytes_or_null(observed)},
          {"devices", std::move(devices)}};
}

}  // namespace

std::vector<ServiceView> service_views(const Ledger& ledger) {
  std::map<const ServiceAccount*, ServiceView> views;
  for (const auto& [name, account] : ledger.services()) views[&account].account = account;
  ledger.each([&](const Lease& lease) {
    const auto found = views.find(ledger.service(lease.service.text()));
    if (found != views.end()) add(found->second, lease);
  });
  std::vector<ServiceView> result;
  for (auto& [account, view] : views) {
    if (account->quota || view.waiting > 0 || !view.devices.empty()) result.push_back(std::move(view));
  }
  std::ranges::sort(result, {}, [](const ServiceView& view) { return view.account.name.text(); });
  return result;
}

std::string services_json(const std::vector<ServiceView>& services, const Snapshot& snapshot, WallTime now) {
  Json list = Json::array();
  for (const ServiceView& service : services) list.push_back(service_json(service, snapshot));
  return dump({{"schema", "gpukeeper.services/1"}, {"taken_at", rfc3339(now)}, {"services", std::move(list)}}, false);
}

}  // namespace gpukeeper
