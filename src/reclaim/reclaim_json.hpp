#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reclaim/plan.hpp"
#include "reclaim/reclaim_report.hpp"

// What the API and --json say of plans and of reclaim (docs/reclaim.md).
namespace gpukeeper::reclaim {

/// The plan, schema gpukeeper.plan/1. `ledger`: the devices' indices.
std::string plan_json(const Plan& plan, const PlanRequest& request, const Ledger& ledger);

/// One report, schema gpukeeper.reclaim/1.
std::string report_json(const ReclaimReport& report);

/// Several, the latest first, and whether more come by themselves (`reclaim.enabled`); schema gpukeeper.reclaims/1.
std::string reports_json(const std::vector<ReclaimReport>& reports, bool by_itself);

}  // namespace gpukeeper::reclaim
