#pragma once

#include <span>
#include <string>
#include <string_view>

#include "device/metric_table.hpp"
#include "format/connections.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What does not change of a device while its driver stays loaded.
struct DeviceFact {
  std::string_view key;    ///< in JSON
  std::string_view label;  ///< for people
  Metric<MetricValue> (*value)(const Device&, const Reading&);
};

/// In the order in which a person reads them.
std::span<const DeviceFact> device_fact_table();

/// `gpukeeper devices --json`: docs/schema/devices.json describes it. On one line without a line end, or indented.
std::string devices_json(const Snapshot& snapshot, const ConnectionTable& ways, bool indented);

}  // namespace gpukeeper
