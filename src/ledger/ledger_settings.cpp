#include "ledger/ledger_settings.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ledger/lease.hpp"

namespace gpukeeper {
namespace {

constexpr std::array<std::string_view, 5> kStrategies = {"most_free", "best_fit", "spread", "pack", "coolest"};

Result<void> check(const DeviceLimit& limit, std::string_view where) {
  if (limit.burst_ratio >= 1.0 && limit.burst_ratio <= 100.0) return {};
  return fail(Errc::invalid_argument, fmt::format("{}: a burst ratio of {} is out of range; it is between 1 and 100",
                                                  where, limit.burst_ratio));
}

Result<void> check(const ServiceQuota& quota) {
  if (quota.service.empty()) return fail(Errc::invalid_argument, "a service's quota names no service");
  if (quota.min_request && quota.max_request && *quota.min_request > *quota.max_request) {
    return fail(Errc::invalid_argument, fmt::format("service {}: its least request, {}, is above its largest, {}",
                                                    quota.service, mib(*quota.min_request), mib(*quota.max_request)));
  }
  if (quota.priority < -kMostPriority || quota.priority > kMostPriority) {
    return fail(Errc::invalid_argument, fmt::format("service {}: priority {} is out of range; it is between {} and {}",
                                                    quota.service, quota.priority, -kMostPriority, kMostPriority));
  }
  return {};
}

}  // namespace

std::string_view to_string(Strategy strategy) {
  return kStrategies[static_cast<std::size_t>(strategy)];
}

std::optional<Strategy> parse_strategy(std::string_view word) {
  const auto found = std::ranges::find(kStrategies, word);
  if (found == kStrategies.end()) return std::nullopt;
  return static_cast<Strategy>(found - kStrategies.begin());
}

std::string strategy_words() {
  return fmt::format("{}", fmt::join(kStrategies, ", "));
}

Result<void> check(const LedgerSettings& settings) {
  if (auto good = check(settings.limit, "every device"); !good) return good;
  for (const auto& [device, limit] : settings.limits) {
    if (auto good = check(limit, device); !good) return good;
  }
  std::set<std::string> seen;
  for (const ServiceQuota& quota : settings.services) {
    if (auto good = check(quota); !good) return good;
    if (!seen.insert(canonical_service(quota.service)).second) {
      return fail(Errc::invalid_argument,
                  fmt::format("service {} has two quotas; '-' and '_' are the same in a name", quota.service));
    }
  }
  if (settings.ageing.count() <= 0)
    return fail(Errc::invalid_argument, "the ageing of waiting requests is not above 0");
  return {};
}

std::string canonical_service(std::string_view name) {
  std::string canonical(name);
  std::ranges::replace(canonical, '_', '-');
  return canonical;
}

}  // namespace gpukeeper
