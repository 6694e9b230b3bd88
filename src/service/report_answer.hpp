#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "account/account.hpp"
#include "account/tariff.hpp"
#include "faults/fault_journal.hpp"
#include "report/report.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What a report is made from.
struct ReportDesk {
  /// Between these moments at the least; nothing: as far back as is quickly known, until now.
  std::function<account::Account(std::optional<WallTime> since, std::optional<WallTime> until)> account =
      [](auto, auto) { return account::Account(); };
  std::function<account::Tariff()> tariff = [] { return account::Tariff(); };
  std::function<std::shared_ptr<const FaultList>()> faults;  ///< never null
  /// gpukeeper.leases/1 for whoever asks; empty where there is no ledger.
  std::function<std::string(const Request&)> leases = [](const Request&) { return std::string(); };
  std::function<report::RequestCounts()> requests = [] { return report::RequestCounts(); };
};

/// GET /api/v1/report?since=&until=&format=json|html|csv|text&utc_offset=: what the GPUs did and who used them; without
/// `since` over the last day. Times in pages and texts are those of a reader `utc_offset` seconds east of Greenwich.
/// 400 for a parameter that is unknown or wrong, and for a range of which nothing is known; 503 before the second tick.
Response report_answer(const Request& request, const ReportDesk& desk, const Snapshot& snapshot);

}  // namespace gpukeeper::service
