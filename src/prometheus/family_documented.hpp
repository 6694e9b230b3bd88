#pragma once

#include "prometheus/exposition.hpp"
#include "prometheus/metric_facts.hpp"

namespace gpukeeper::prometheus {

/// The ten documented metrics of the GPU resource optimizer, with exactly its labels and help texts (contract 1.2.3).
/// Where its documents and its dashboards meet several label sets for a name, these are the ones (BUG-003): `device_id`
/// is the index, `service_name` of the gauges is one constant, so that a sum counts no GPU twice. Allocations of every
/// known service have both their series from the start, so that a first failure is seen as one (BUG-037).
void write_documented(Exposition& out, const MetricFacts& facts);

}  // namespace gpukeeper::prometheus
