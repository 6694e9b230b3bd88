#include "telemetry/history.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "device/metric_fields.hpp"
#include "device/resolution.hpp"

namespace gpukeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kMostMetrics = 64;  // as many as HistoryRow::present has bits
constexpr auto kIdle = std::chrono::minutes(10);

std::vector<StoredMetric> stored_metrics(const std::vector<std::string>& names) {
  std::vector<StoredMetric> result;
  for (const std::string& name : names) {
    const MetricField* field = find_metric_field(name);
    const bool stored = std::ranges::any_of(result, [&](const StoredMetric& m) { return m.row->name == name; });
    if (!field || stored || result.size() == kMostMetrics) continue;
    if (field->kind == FieldKind::text || field->kind == FieldKind::throttle_reasons) continue;
    result.push_back({find_metric(name), field->kind != FieldKind::number});
  }
  return result;
}

Metric<std::uint64_t> word_of(const StoredMetric& metric, const DeviceSnapshot& d) {
  const auto value = metric.row->value(*d.device, d.reading);
  if (!value) return missing(value.error());
  if (metric.whole) {
    if (const auto* whole = std::get_if<std::uint64_t>(&*value)) return *whole;
    if (const auto* flag = std::get_if<bool>(&*value)) return *flag ? 1u : 0u;
    return missing(Missing::not_supported);
  }
  const auto number = to_number(value);
  if (!number) return missing(number.error());
  return std::bit_cast<std::uint64_t>(as_recorded(metric.row->unit, *number));
}

// Lets something happen once an interval. What comes a little early, as ticks do, counts; the pace stays.
class Pace {
 public:
  bool take(MonotonicTime now, nanoseconds interval) {
    if (due_ && now < *due_ - interval / 10) return false;
    due_ = due_ && now < *due_ + interval ? *due_ + interval : now + interval;
    return true;
  }

 private:
  std::optional<MonotonicTime> due_;
};

}  // namespace

struct History::DeviceHistory {
  explicit DeviceHistory(std::size_t metrics, std::size_t first_ticks) : open(metrics), ticks(first_ticks) {}

  std::deque<std::shared_ptr<const HistoryBlock>> packed;
  OpenBlock open;
  std::size_t ticks;  // when to pack
  std::deque<HistorySample> samples;
  Pace samples_pace;
  Pace rows_pace;
  std::optional<WallTime> read_at;    // of the latest reading
  std::optional<MonotonicTime> last;  // row
};

std::chrono::nanoseconds pace_of(std::span<const TimedValue> values) {
  if (values.size() < 2) return std::chrono::nanoseconds::zero();
  std::vector<std::chrono::nanoseconds> steps;
  for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(values[i].at - values[i - 1].at);
  const auto late = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() * 9 / 10);
  std::ranges::nth_element(steps, late);
  return *late;
}

HistoryRange sum_up(std::span<const TimedValue> values, MonotonicTime from, MonotonicTime to, nanoseconds step) {
  HistoryRange range{from, step, {}};
  range.buckets.resize(static_cast<std::size_t>((to - from + step - nanoseconds(1)) / step));
  for (const TimedValue& sample : values) {
    if (sample.at < from || sample.at >= to) continue;
    auto& bucket = range.buckets[static_cast<std::size_t>((sample.at - from) / step)];
    if (!bucket) bucket = HistoryBucket{0, sample.value, 0, sample.value, 0};
    ++bucket->count;
    bucket->min = std::min(bucket->min, sample.value);
    bucket->max = std::max(bucket->max, sample.value);
    bucket->avg += (sample.value - bucket->avg) / static_cast<double>(bucket->count);  // stays as exact as the values
    bucket->last = sample.value;
  }
  return range;
}

History::History(HistorySettings settings)
    : metrics_(stored_metrics(settings.metrics)), settings_(std::move(settings)) {
  row_.words.resize(metrics_.size());
}

History::~History() = default;

void History::add(const Snapshot& snapshot) {
  if (now_ && snapshot.monotonic <= now_->at) return;
  for (const DeviceSnapshot& device : snapshot.devices) {
    add_device(snapshot, device);
    for (const DeviceSnapshot& partition : device.partitions) add_device(snapshot, partition);
  }
  {
    std::scoped_lock lock(mutex_);
    now_ = Now{snapshot.monotonic, snapshot.taken_at};
  }
  if (++adds_ % OpenBlock::kTicks == 0) sweep(snapshot.monotonic);
}

void History::add_device(const Snapshot& snapshot, const DeviceSnapshot& device) {
  if (!device.available) return;
  DeviceHistory& history = history_of(device.device->id);
  if (device.read_at && history.read_at == device.read_at) return;
  history.read_at = device.read_at;
  note_sample(history, snapshot, device);
  note_row(history, snapshot, device);
}

History::DeviceHistory& History::history_of(const DeviceId& id) {
  const auto found = devices_.find(id);
  if (found != devices_.end()) return *found->second;
  // Packing takes some time, so not all devices do it at the same tick.
  const std::size_t first = OpenBlock::kTicks - devices_.size() * 37 % (OpenBlock::kTicks / 2);
  auto made = std::make_unique<DeviceHistory>(metrics_.size(), first);
  std::scoped_lock lock(mutex_);
  return *devices_.emplace(id, std::move(made)).first->second;
}

void History::note_sample(DeviceHistory& history, const Snapshot& snapshot, const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  const auto plain = [](const auto& metric) {
    return metric.map([](const auto& quantity) { return quantity.value(); });
  };
  HistorySample sample{.at = snapshot.monotonic,
                       .wall = snapshot.taken_at,
                       .index = device.index,
                       .load_percent = plain(r.utilization),
                       .memory_percent = plain(memory_percent(r)),
                       .temperature_celsius = plain(guarding_temperature(r)),
                       .state = device.state};
  std::scoped_lock lock(mutex_);
  if (!history.samples_pace.take(sample.at, settings_.interval)) return;
  auto& samples = history.samples;
  samples.push_back(std::move(sample));
  while (samples.size() > settings_.size) samples.pop_front();
}

void History::note_row(DeviceHistory& history, const Snapshot& snapshot, const DeviceSnapshot& device) {
  row_.at = std::chrono::floor<milliseconds>(snapshot.monotonic.time_since_epoch());
  row_.present = 0;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    const auto word = word_of(metrics_[i], device);
    row_.words[i] = word.value_or(0);
    if (word) row_.present |= std::uint64_t{1} << i;
  }
  {
    std::scoped_lock lock(mutex_);
    if (!history.rows_pace.take(snapshot.monotonic, settings_.step)) return;
    history.last = snapshot.monotonic;
    history.open.add(row_);
  }
  if (history.open.size() < history.ticks) return;
  seal(history);
  history.ticks = OpenBlock::kTicks;
  Garbage garbage;
  std::scoped_lock lock(mutex_);
  drop_old(snapshot.monotonic, garbage);
  drop_above_limit(garbage);
}

// Only the thread that adds changes the open block, so it may read it without the lock while it packs.
void History::seal(DeviceHistory& history) {
  if (history.open.size() == 0) return;
  auto block = std::make_shared<const HistoryBlock>(history.open, metrics_);
  std::scoped_lock lock(mutex_);
  packed_bytes_ += block->bytes();
  history.packed.push_back(std::move(block));
  history.open.clear();
}

// Devices that sleep or have gone: what they left is packed, and in the end forgotten.
void History::sweep(MonotonicTime now) {
  for (const auto& [id, history] : devices_) {
    if (!history->last || now - *history->last < kIdle) continue;
    seal(*history);
    std::scoped_lock lock(mutex_);
    history->open.release();
  }
  std::vector<std::unique_ptr<DeviceHistory>> forgotten;
  Garbage garbage;
  std::scoped_lock lock(mutex_);
  drop_old(now, garbage);
  for (auto device = devices_.begin(); device != devices_.end();) {
    const DeviceHistory& history = *device->second;
    const bool gone = history.packed.empty() && history.open.size() == 0;
    if (gone) forgotten.push_back(std::move(device->second));
    device = gone ? devices_.erase(device) : std::next(device);
  }
}

void History::drop_old(MonotonicTime now, Garbage& garbage) {
  for (const auto& [id, history] : devices_) {
    auto& packed = history->packed;
    while (!packed.empty() && now - MonotonicTime(packed.front()->last()) > settings_.span) {
      packed_bytes_ -= packed.front()->bytes();
      garbage.push_back(std::move(packed.front()));
      packed.pop_front();
    }
  }
}

void History::drop_above_limit(Garbage& garbage) {
  while (packed_bytes_ > settings_.memory.value()) {
    DeviceHistory* oldest = nullptr;
    for (const auto& [id, history] : devices_) {
      if (history->packed.empty()) continue;
      if (!oldest || history->packed.front()->first() < oldest->packed.front()->first()) oldest = history.get();
    }
    if (!oldest) return;
    packed_bytes_ -= oldest->packed.front()->bytes();
    garbage.push_back(std::move(oldest->packed.front()));
    oldest->packed.pop_front();
  }
}

void History::resize(const HistorySettings& settings) {
  Garbage garbage;
  std::scoped_lock lock(mutex_);
  settings_.size = settings.size;
  settings_.interval = settings.interval;
  settings_.span = settings.span;
  settings_.step = settings.step;
  settings_.memory = settings.memory;
  for (const auto& [id, history] : devices_) {
    while (history->samples.size() > settings_.size) history->samples.pop_front();
  }
  if (now_) drop_old(now_->at, garbage);
  drop_above_limit(garbage);
}

HistorySettings History::settings() const {
  std::scoped_lock lock(mutex_);
  return settings_;
}

std::vector<HistorySample> History::samples(const DeviceId& device, std::size_t limit) const {
  std::scoped_lock lock(mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end()) return {};
  const auto& all = found->second->samples;
  const std::size_t count = limit == 0 ? all.size() : std::min(limit, all.size());
  return {all.end() - static_cast<std::ptrdiff_t>(count), all.end()};
}

std::vector<std::string_view> History::metrics() const {
  std::vector<std::string_view> names;
  for (const StoredMetric& metric : metrics_) names.push_back(metric.row->name);
  return names;
}

std::optional<std::size_t> History::position(std::string_view metric) const {
  const auto found = std::ranges::find(metrics_, metric, [](const StoredMetric& m) { return m.row->name; });
  if (found == metrics_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - metrics_.begin());
}

Result<std::vector<TimedValue>> History::values(const DeviceId& device, std::string_view metric, MonotonicTime from,
                                                MonotonicTime to) const {
  const auto at = position(metric);
  if (!at) {
    return fail(Errc::not_found,
                fmt::format("no history is kept of '{}'; it is kept of {} (history.metrics in the configuration)",
                            metric, fmt::join(metrics(), ", ")));
  }
  const bool whole = metrics_[*at].whole;
  std::vector<std::shared_ptr<const HistoryBlock>> blocks;
  std::vector<TimedValue> recent;
  {
    std::scoped_lock lock(mutex_);
    const auto found = devices_.find(device);
    if (found == devices_.end()) return std::vector<TimedValue>();
    const DeviceHistory& history = *found->second;
    for (const auto& block : history.packed) {
      if (MonotonicTime(block->last()) >= from && MonotonicTime(block->first()) < to) blocks.push_back(block);
    }
    history.open.read(*at, whole, from, to, recent);
  }
  std::vector<TimedValue> result;
  for (const auto& block : blocks) block->read(*at, whole, from, to, result);
  result.insert(result.end(), recent.begin(), recent.end());
  return result;
}

Result<HistoryRange> History::range(const DeviceId& device, std::string_view metric, MonotonicTime from,
                                    MonotonicTime to, nanoseconds step) const {
  if (step <= nanoseconds(0) || to <= from) {
    return fail(Errc::invalid_argument, "a range of the history needs a step and a length above zero");
  }
  if ((to - from) / step >= static_cast<std::int64_t>(kMostBuckets)) {
    return fail(Errc::invalid_argument,
                fmt::format("that are more than {} steps: take a longer step or a shorter time", kMostBuckets));
  }
  const auto found = values(device, metric, from, to);
  if (!found) return tl::make_unexpected(found.error());
  return sum_up(*found, from, to, step);
}

std::optional<History::Now> History::now() const {
  std::scoped_lock lock(mutex_);
  return now_;
}

HistoryFacts History::facts() const {
  std::scoped_lock lock(mutex_);
  HistoryFacts facts{.bytes = packed_bytes_, .devices = devices_.size(), .samples = 0, .oldest = {}};
  const auto note = [&](milliseconds first) {
    facts.oldest = std::min(facts.oldest.value_or(MonotonicTime::max()), MonotonicTime(first));
  };
  for (const auto& [id, history] : devices_) {
    facts.bytes += history->open.bytes() + history->samples.size() * sizeof(HistorySample);
    facts.samples += history->open.size();
    for (const auto& block : history->packed) facts.samples += block->size();
    if (!history->packed.empty()) {
      note(history->packed.front()->first());
    } else if (history->open.size() > 0) {
      note(history->open.times().front());
    }
  }
  return facts;
}

}  // namespace gpukeeper
