#include "postgres/database_reader.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "device/metric_table.hpp"
#include "postgres/schema.hpp"

namespace gpukeeper::postgres {
namespace {

using std::chrono::microseconds;
using Row = std::vector<std::optional<std::string>>;

// Moments travel as microseconds since 1970, which both sides have exactly.
std::string micros(WallTime time) {
  return std::to_string(std::chrono::floor<microseconds>(time.time_since_epoch()).count());
}

std::optional<WallTime> moment(const std::optional<std::string>& text) {
  const auto count = parse_i64(text.value_or(""));
  if (!count) return std::nullopt;
  return WallTime(std::chrono::duration_cast<WallTime::duration>(microseconds(*count)));
}

std::optional<std::uint32_t> small(const std::optional<std::string>& text) {
  const auto number = parse_u64(text.value_or(""));
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

std::string in_micros(std::string_view time) {
  return fmt::format("(extract(epoch FROM {}) * 1000000)::bigint", time);
}

// A device by the names of both: $1 and $2.
constexpr std::string_view kDeviceId =
    "(SELECT d.id FROM gpukeeper.device d JOIN gpukeeper.host h ON h.id = d.host_id WHERE h.name = $1 AND d.uuid = $2)";

// The first or the last moment of a device; of each partition the index knows it.
std::string end_of(std::string_view which) {
  return fmt::format("(SELECT {}(r.taken_at) FROM gpukeeper.reading r WHERE r.device_id = d.id)", which);
}

// What a metric did in a piece, five values.
std::string summed(std::string_view metric) {
  const std::string column = column_list({std::string(metric)});
  return fmt::format(
      "count({0}), min({0}), avg({0}), max({0}), (array_agg({0} ORDER BY taken_at DESC) FILTER (WHERE {0} IS NOT "
      "NULL))[1]",
      column);
}
constexpr std::size_t kSummed = 5;

std::optional<HistoryBucket> bucket_of(const Row& row, std::size_t first) {
  const auto count = parse_u64(row[first].value_or("")).value_or(0);
  if (count == 0) return std::nullopt;
  HistoryBucket bucket{.count = count};
  double* const members[] = {&bucket.min, &bucket.avg, &bucket.max, &bucket.last};
  for (std::size_t i = 0; i < std::size(members); ++i) {
    const auto value = parse_double(row[first + 1 + i].value_or(""));
    if (!value || !std::isfinite(*value)) return std::nullopt;
    *members[i] = *value;
  }
  return bucket;
}

Vendor vendor_of(std::string_view name) {
  for (const Vendor vendor : {Vendor::nvidia, Vendor::amd, Vendor::intel}) {
    if (name == to_string(vendor)) return vendor;
  }
  return Vendor::other;
}

StoredDevice device_of(const Row& row) {
  Device device;
  device.id.text = row[0].value_or("");
  device.name = row[3].value_or("");
  device.vendor = vendor_of(row[4].value_or(""));
  if (row[5]) device.parent = DeviceId{*row[5]};
  device.partition = row[6];
  device.source = row[7].value_or("");
  device.simulated = row[8] == "t";
  device.recorded = row[9] == "t";
  return {.index = small(row[1]).value_or(0),
          .partition_index = small(row[2]),
          .device = std::make_shared<const Device>(std::move(device)),
          .last = moment(row[10])};
}

DeviceSnapshot as_snapshot(const StoredDevice& stored) {
  DeviceSnapshot device;
  device.index = stored.index;
  device.device = stored.device;
  device.read_at = stored.last;
  return device;
}

}  // namespace

std::vector<DeviceSnapshot> as_snapshots(std::vector<StoredDevice> devices) {
  std::ranges::stable_sort(devices, {}, &StoredDevice::index);
  std::vector<DeviceSnapshot> result;
  for (const StoredDevice& each : devices) {
    if (!each.device->parent) result.push_back(as_snapshot(each));
  }
  for (const StoredDevice& each : devices) {
    if (!each.device->parent) continue;
    const auto parent = std::ranges::find_if(
        result, [&](const DeviceSnapshot& physical) { return physical.device->id == *each.device->parent; });
    if (parent == result.end()) continue;
    DeviceSnapshot partition = as_snapshot(each);
    partition.parent_index = each.index;
    // Where an older gpukeeper has written it: as they came.
    partition.index = each.partition_index.value_or(static_cast<std::uint32_t>(parent->partitions.size()));
    parent->partitions.push_back(std::move(partition));
  }
  for (DeviceSnapshot& device : result) std::ranges::stable_sort(device.partitions, {}, &DeviceSnapshot::index);
  return result;
}

// A transaction of its own, whose bounds end with it: a pooler may give the connection to somebody else.
Result<Rows> DatabaseReader::ask(const std::string& sql, const std::vector<std::optional<std::string>>& parameters) {
  if (auto begun = connection_->query("BEGIN READ ONLY"); !begun) return begun;
  const auto bounded = connection_->query("SELECT set_config('statement_timeout', $1, true)",
                                          {std::to_string(std::max<std::int64_t>(patience_.count(), 1))});
  if (!bounded) return bounded;
  auto answer = connection_->query(sql, parameters);
  if (!answer) return answer;
  if (auto ended = connection_->query("COMMIT"); !ended) return ended;
  return answer;
}

Result<std::vector<std::string_view>> DatabaseReader::metrics() {
  if (!metrics_.empty()) return metrics_;
  const auto there =
      ask("SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('gpukeeper.reading') AND attnum > 0 AND NOT "
          "attisdropped ORDER BY attnum");
  if (!there) return tl::make_unexpected(there.error());
  if (there->size() == 0) {
    return fail(Errc::not_found,
                "no gpukeeper has written into that database yet: there is no table gpukeeper.reading in it");
  }
  for (const Row& row : there->rows) {
    const MetricRow* const metric = find_metric(row[0].value_or(""));
    if (metric && metric->type != MetricType::info) metrics_.push_back(metric->name);
  }
  return metrics_;
}

Result<std::vector<StoredHost>> DatabaseReader::hosts() {
  if (const auto there = metrics(); !there) return tl::make_unexpected(there.error());
  const auto found = ask(fmt::format(
      "SELECT h.name, count(d.id), {}, {} FROM gpukeeper.host h LEFT JOIN gpukeeper.device d ON d.host_id = "
      "h.id GROUP BY h.name ORDER BY h.name",
      in_micros(fmt::format("min({})", end_of("min"))), in_micros(fmt::format("max({})", end_of("max")))));
  if (!found) return tl::make_unexpected(found.error());
  std::vector<StoredHost> hosts;
  for (const Row& row : found->rows) {
    hosts.push_back({row[0].value_or(""), static_cast<std::size_t>(parse_u64(row[1].value_or("")).value_or(0)),
                     moment(row[2]), moment(row[3])});
  }
  return hosts;
}

Result<std::vector<StoredDevice>> DatabaseReader::devices(const std::string& host) {
  if (const auto there = metrics(); !there) return tl::make_unexpected(there.error());
  // A table of the first version has no partition_index; as JSON it may be missing.
  const auto found =
      ask(fmt::format("SELECT d.uuid, d.index, to_jsonb(d) ->> 'partition_index', d.name, d.vendor, d.parent_uuid, "
                      "d.partition, d.source, d.simulated, d.recorded, {} AS last FROM gpukeeper.device d JOIN "
                      "gpukeeper.host h ON h.id = d.host_id WHERE h.name = $1 ORDER BY d.index, last DESC NULLS LAST, "
                      "d.id",
                      in_micros(end_of("max"))),
          {host});
  if (!found) return tl::make_unexpected(found.error());
  std::vector<StoredDevice> devices;
  for (const Row& row : found->rows) devices.push_back(device_of(row));
  return devices;
}

Result<void> DatabaseReader::read(const std::string& host, const OlderHistory::Query& query,
                                  const OlderHistory::Take& take) {
  const auto stored = metrics();
  if (!stored) return tl::make_unexpected(stored.error());
  std::vector<std::size_t> asked;  // positions in the query, of what there is
  std::string columns;
  for (std::size_t i = 0; i < query.metrics.size(); ++i) {
    const auto metric = std::ranges::find(*stored, query.metrics[i]);
    if (metric == stored->end()) continue;
    asked.push_back(i);
    columns += ", " + summed(*metric);
  }
  if (asked.empty() || query.to <= query.from) return {};
  const auto step = std::max(query.step, std::chrono::nanoseconds(1));
  const auto found =
      ask(fmt::format("SELECT ({} - $3::bigint) * 1000 / $5::bigint AS piece{} FROM gpukeeper.reading WHERE "
                      "device_id = {} AND taken_at >= 'epoch'::timestamptz + $3::bigint * interval '1 "
                      "microsecond' AND taken_at < 'epoch'::timestamptz + $4::bigint * interval '1 "
                      "microsecond' GROUP BY piece ORDER BY piece",
                      in_micros("taken_at"), columns, kDeviceId),
          {host, query.device.text, micros(query.from), micros(query.to), std::to_string(step.count())});
  if (!found) return tl::make_unexpected(found.error());
  for (const Row& row : found->rows) {
    const auto piece = parse_i64(row[0].value_or(""));
    if (!piece) continue;
    const WallTime at = query.from + std::chrono::duration_cast<WallTime::duration>(step * *piece);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (const auto bucket = bucket_of(row, 1 + i * kSummed)) take(asked[i], at, *bucket);
    }
  }
  return {};
}

Result<std::optional<WallTime>> DatabaseReader::oldest(const std::string& host) {
  if (const auto there = metrics(); !there) return tl::make_unexpected(there.error());
  const auto found =
      ask(fmt::format("SELECT {} FROM gpukeeper.device d JOIN gpukeeper.host h ON h.id = d.host_id WHERE "
                      "h.name = $1",
                      in_micros(fmt::format("min({})", end_of("min")))),
          {host});
  if (!found) return tl::make_unexpected(found.error());
  return moment(found->rows.empty() ? std::nullopt : found->rows[0][0]);
}

// Of one device: all are written together.
Result<std::optional<std::chrono::nanoseconds>> DatabaseReader::pace(const std::string& host) {
  const auto all = devices(host);
  if (!all) return tl::make_unexpected(all.error());
  const auto latest = std::ranges::max_element(*all, {}, &StoredDevice::last);
  if (latest == all->end() || !latest->last) return std::nullopt;
  const auto found = ask(fmt::format("SELECT {} FROM gpukeeper.reading WHERE device_id = {} ORDER BY taken_at DESC "
                                     "LIMIT 30",
                                     in_micros("taken_at"), kDeviceId),
                         {host, latest->device->id.text});
  if (!found) return tl::make_unexpected(found.error());
  std::vector<TimedValue> moments;
  for (const Row& row : found->rows) {
    const auto at = moment(row[0]);
    if (at) moments.push_back({MonotonicTime(at->time_since_epoch()), 0});
  }
  std::ranges::reverse(moments);
  if (moments.size() < 3) return std::nullopt;
  return pace_of(moments);
}

}  // namespace gpukeeper::postgres
