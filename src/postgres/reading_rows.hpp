#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/device.hpp"
#include "device/metric_table.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::postgres {

/// What one device did at one tick.
struct ReadingRow {
  std::shared_ptr<const Device> device;               ///< never null
  std::uint32_t index = 0;                            ///< for people; of a partition that of its device
  std::optional<std::uint32_t> partition_index = {};  ///< of a partition: its position in its device
  std::string values;                                 ///< state and metrics, as COPY takes them, a tab before each
};

/// All devices of a machine at one tick.
struct Tick {
  std::uint64_t number = 0;  ///< they come in this order, one more each
  WallTime at{};
  std::vector<ReadingRow> rows;

  /// What it takes of memory, about.
  std::size_t bytes() const;
};

/// When what was last written of each device was read.
using WrittenReadings = std::map<DeviceId, WallTime>;

/// Physical devices and partitions; a metric that is absent is \N, which is NULL. So are all of a device whose reading
/// was `written` before: it rests or is slow, and nobody measured that again.
Tick tick_of(const Snapshot& snapshot, std::span<const MetricRow* const> metrics, WrittenReadings& written);

}  // namespace gpukeeper::postgres
