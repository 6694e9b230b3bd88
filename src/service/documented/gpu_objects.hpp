#pragma once

#include <cstdint>

#include "service/documented/gpu_allocations.hpp"
#include "service/documented/words.hpp"
#include "telemetry/history.hpp"
#include "telemetry/snapshot.hpp"
#include "telemetry/trend.hpp"

// Included by source files only: words.hpp is heavy.

/// The GPU manager's dictionaries. Sensor values are floats as they were read, sizes in MiB; null is what the device
/// does not report.
namespace gpukeeper::service::documented {

/// The device of that index; null when there is none.
const DeviceSnapshot* find_gpu(const Snapshot& snapshot, std::int64_t gpu_id);

/// `get_gpu_status`; also of a GPU that is lost, asleep or unknown, and of a machine without one: "available": false.
Json status_object(const Snapshot& snapshot, std::int64_t gpu_id, const AllocationsByDevice& allocations);

/// `get_gpu_metrics` of a device that is available: nine keys, without fan and power.
Json metrics_object(const Snapshot& snapshot, const DeviceSnapshot& device);

Json history_row(const HistorySample& sample);

/// `get_temperature_trend`. `minutes`: as asked for.
Json trend_object(const Trend& trend, std::int64_t minutes);

/// What an operator, somebody else's application or the GPU itself asks for, of all GPUs together.
Json throttle_object(const Snapshot& snapshot);

/// A size that was handed out: whole MiB are an integer, as the sums of what clients wrote.
Json handed_out(Bytes size);

/// What may still be handed out: an integer as long as the limit is the configured one.
Json still_available(const Allocations& allocations);

}  // namespace gpukeeper::service::documented
