#pragma once

#include "prometheus/exposition.hpp"
#include "prometheus/metric_facts.hpp"

namespace gpukeeper::prometheus {

/// Our own family, `gpukeeper_*`, in base units: each GPU's metrics as the metric table has them, its state and speed,
/// alerts, faults, what is booked, whose the memory is, and what gpukeeper itself costs. docs/metrics.md lists it.
void write_gpukeeper(Exposition& out, const MetricFacts& facts);

/// Services of one GPU whose memory is told apart: those with the most. The rest is "other".
inline constexpr std::size_t kMostServices = 32;

}  // namespace gpukeeper::prometheus
