#pragma once

#include <functional>
#include <optional>

#include "account/account.hpp"
#include "account/tariff.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What it is accounted from.
struct AccountingDesk {
  /// Between these moments at the least; nothing: as far back as is quickly known, until now.
  std::function<account::Account(std::optional<WallTime> since, std::optional<WallTime> until)> account;
  std::function<account::Tariff()> tariff = [] { return account::Tariff(); };
};

/// GET /api/v1/accounting?since=&until=&by=&format=json|csv|text&utc_offset=: who used how much, by user where `by` is
/// left out; without `since` over the last day.
/// 400 for a parameter that is unknown or wrong, and for a range of which nothing is known; 503 before the second tick.
Response accounting_answer(const Request& request, const AccountingDesk& desk, const Snapshot& snapshot);

}  // namespace gpukeeper::service
