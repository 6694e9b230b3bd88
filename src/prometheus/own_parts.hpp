#pragma once

#include <span>

#include "prometheus/exposition.hpp"
#include "prometheus/labels.hpp"
#include "prometheus/metric_facts.hpp"

// The parts of our own family, for family_gpukeeper.cpp alone.
namespace gpukeeper::prometheus {

using Devices = std::span<const LabelledDevice>;

/// The rows of the metric table, and who each GPU is (gpukeeper_gpu_info).
void write_devices(Exposition& out, Devices devices);

/// What the governor makes of the GPUs.
void write_states(Exposition& out, Devices devices);

void write_alerts(Exposition& out, const Snapshot& snapshot);

/// The journal's counts, by kind. Of GPUs that have gone, too.
void write_faults(Exposition& out, const FaultList& faults, Devices devices);

/// What is booked; nothing where nobody books.
void write_booked(Exposition& out, const Snapshot& snapshot, Devices devices);

/// How many processes there are, and whose the memory is.
void write_processes(Exposition& out, const Snapshot& snapshot, Devices devices);

/// What gpukeeper itself does and costs.
void write_self(Exposition& out, const MetricFacts& facts);

}  // namespace gpukeeper::prometheus
