#include "booking/book_settings.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "core/glob.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper {
namespace {

// A device or a partition, and what a person may call it.
struct Named {
  const Device* device;
  std::string index;  // "0", "0:1"
};

std::vector<Named> all_of(const Snapshot& snapshot) {
  std::vector<Named> all;
  for (const DeviceSnapshot& d : snapshot.devices) {
    all.push_back({d.device.get(), fmt::format("{}", d.index)});
    for (const DeviceSnapshot& part : d.partitions) {
      all.push_back({part.device.get(), fmt::format("{}:{}", d.index, part.index)});
    }
  }
  return all;
}

bool fits_device(std::string_view name, const Named& named) {
  return name == named.index || fits_ignoring_case(name, named.device->id.text) ||
         fits_ignoring_case(name, named.device->name);
}

void apply(const DeviceLimitChange& change, DeviceLimit& limit) {
  if (change.headroom) limit.headroom = change.headroom;
  if (change.most || change.most_is_auto) {
    limit.most = change.most;
    limit.most_is_auto = change.most_is_auto;
  }
  if (change.burst_ratio) limit.burst_ratio = *change.burst_ratio;
}

std::vector<std::string> ids_of(const std::vector<std::string>& names, const std::vector<Named>& all) {
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    const auto before = ids.size();
    for (const Named& named : all) {
      if (fits_device(name, named)) ids.push_back(named.device->id.text);
    }
    if (ids.size() == before) ids.push_back(name);
  }
  return ids;
}

void check(const ServiceQuota& quota, std::vector<std::string>& wrong) {
  const auto say = [&](const std::string& what) {
    wrong.push_back(fmt::format("ledger.quotas: {}: {}", quota.service, what));
  };
  if (quota.min_request && quota.max_request && *quota.min_request > *quota.max_request) {
    say(fmt::format("min_request ({}) is above max_request ({}): no request could be both", mib(*quota.min_request),
                    mib(*quota.max_request)));
  }
  if (quota.min_request && quota.total && quota.total->value() > 0 && *quota.min_request > *quota.total) {
    say(fmt::format("min_request ({}) is above total ({}): nothing could ever be granted; a total of 0 says so",
                    mib(*quota.min_request), mib(*quota.total)));
  }
  std::set<std::string> near;
  for (const std::string& service : quota.near) near.insert(canonical_service(service));
  for (const std::string& service : quota.apart) {
    if (near.contains(canonical_service(service))) {
      say(fmt::format("'{}' stands in near and in apart: it cannot be both", service));
    }
  }
}

}  // namespace

std::vector<std::string> check(const BookSettings& settings) {
  std::vector<std::string> wrong;
  std::set<std::string> services;
  for (const ServiceQuota& quota : settings.ledger.services) {
    check(quota, wrong);
    if (services.insert(canonical_service(quota.service)).second) continue;
    wrong.push_back(
        fmt::format("ledger.quotas: {} stands twice; '-' and '_' are the same in a service's name", quota.service));
  }
  return wrong;
}

LedgerSettings settings_for(const BookSettings& settings, const Snapshot& snapshot) {
  LedgerSettings result = settings.ledger;
  const std::vector<Named> all = all_of(snapshot);
  for (const Named& named : all) {
    DeviceLimit limit = result.limit;
    for (const DeviceLimitChange& change : settings.devices) {
      if (fits_device(change.device, named)) apply(change, limit);
    }
    if (limit != result.limit) result.limits[named.device->id.text] = limit;
  }
  for (ServiceQuota& quota : result.services) {
    quota.devices = ids_of(quota.devices, all);
    if (!quota.preferred_device.empty()) quota.preferred_device = ids_of({quota.preferred_device}, all).front();
  }
  return result;
}

}  // namespace gpukeeper
