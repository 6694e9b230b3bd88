#include "postgres/reading_rows.hpp"

#include <cmath>

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

void add_row(Tick& tick, const DeviceSnapshot& device, std::uint32_t index, std::span<const MetricRow* const> metrics) {
  ReadingRow row{device.device, index, {}};
  row.values = fmt::format("\t{}", to_string(device.available ? device.throttling.state : State::unavailable));
  for (const MetricRow* const metric : metrics)
    add_value(row.values, to_number(metric->value(*device.device, device.reading)));
  row.values.shrink_to_fit();
  tick.rows.push_back(std::move(row));
}

}  // namespace

std::size_t Tick::bytes() const {
  std::size_t sum = sizeof *this;
  for (const ReadingRow& row : rows) sum += sizeof row + row.values.capacity();
  return sum;
}

Tick tick_of(const Snapshot& snapshot, std::span<const MetricRow* const> metrics) {
  Tick tick;
  tick.at = snapshot.taken_at;
  for (const DeviceSnapshot& device : snapshot.devices) {
    add_row(tick, device, device.index, metrics);
    for (const DeviceSnapshot& partition : device.partitions) add_row(tick, partition, device.index, metrics);
  }
  return tick;
}

}  // namespace gpukeeper::postgres
