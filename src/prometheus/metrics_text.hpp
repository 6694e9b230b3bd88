#pragma once

#include <string>

#include "prometheus/exposition.hpp"
#include "prometheus/metric_facts.hpp"
#include "prometheus/metrics_settings.hpp"

namespace gpukeeper::prometheus {

/// The metrics of these families as Prometheus reads them.
std::string metrics_text(const MetricFacts& facts, const FamilySet& families, Syntax syntax);

}  // namespace gpukeeper::prometheus
