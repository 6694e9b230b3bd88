#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "prometheus/exposition.hpp"
#include "prometheus/metric_facts.hpp"

namespace gpukeeper::prometheus {

/// The families of metrics; no name is in two of them.
enum class MetricFamily {
  gpukeeper,  ///< our own
};

inline constexpr std::pair<std::string_view, MetricFamily> kFamilies[] = {{"gpukeeper", MetricFamily::gpukeeper}};

using FamilySet = std::set<MetricFamily>;

/// Every one.
FamilySet all_families();

/// "gpukeeper,dcgm": those named.
/// Errors: invalid_argument with the names that there are.
Result<FamilySet> parse_families(std::string_view words);

/// The metrics of these families as Prometheus reads them.
std::string metrics_text(const MetricFacts& facts, const FamilySet& families, Syntax syntax);

}  // namespace gpukeeper::prometheus
