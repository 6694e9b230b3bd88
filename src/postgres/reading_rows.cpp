#include "postgres/reading_rows.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::postgres {
namespace {

// A double in the table: 15 digits come back as they were, and sensors have less.
void add_value(std::string& line, const Metric<double>& value) {
  if (!value || !std::isfinite(*value)) {
    line += "\t\\N";
    return;
  }
  fmt::format_to(std::back_inserter(line), "\t{:.15g}", *value);
}

// Whether it was not written before; notes that it is now.
bool is_new(const DeviceSnapshot& device, WrittenReadings& written) {
  if (!device.read_at) return true;
  const auto [there, came] = written.try_emplace(device.device->id, *device.read_at);
  return came || std::exchange(there->second, *device.read_at) != *device.read_at;
}

void add_row(Tick& tick, const DeviceSnapshot& device, std::span<const MetricRow* const> metrics,
             WrittenReadings& written) {
  ReadingRow row{.device = device.device,
                 .index = device.parent_index.value_or(device.index),
                 .partition_index = device.parent_index ? std::optional(device.index) : std::nullopt,
                 .values = {}};
  row.values = fmt::format("\t{}", to_string(device.available ? device.throttling.state : State::unavailable));
  const bool measured = device.available && is_new(device, written);
  for (const MetricRow* const metric : metrics) {
    add_value(row.values, measured ? to_number(metric->value(*device.device, device.reading))
                                   : Metric<double>(missing(Missing::not_yet_read)));
  }
  row.values.shrink_to_fit();
  tick.rows.push_back(std::move(row));
}

}  // namespace

std::size_t Tick::bytes() const {
  std::size_t sum = sizeof *this;
  for (const ReadingRow& row : rows) sum += sizeof row + row.values.capacity();
  return sum;
}

Tick tick_of(const Snapshot& snapshot, std::span<const MetricRow* const> metrics, WrittenReadings& written) {
  Tick tick;
  tick.at = snapshot.taken_at;
  for (const DeviceSnapshot& device : snapshot.devices) {
    add_row(tick, device, metrics, written);
    for (const DeviceSnapshot& partition : device.partitions) add_row(tick, partition, metrics, written);
  }
  return tick;
}

}  // namespace gpukeeper::postgres
