#include "storage/history_tier.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"
#include "device/metric_table.hpp"
#include "device/resolution.hpp"

namespace gpukeeper::history_file {
namespace {

// Of each metric of an upper tier, in this order.
constexpr std::array kParts = {&HistoryBucket::min, &HistoryBucket::avg, &HistoryBucket::max, &HistoryBucket::last};
constexpr std::size_t kColumns = kParts.size() + 1;  // the count comes first

// Averages have any number of digits, and each costs bits: some more than the values have are kept.
double rounded_average(const std::string& metric, double average) {
  const MetricRow* row = find_metric(metric);
  const std::string_view unit = row ? row->unit : "";
  const double step = unit == "bytes" ? 1 : resolution_of(unit) / 10;
  const double steps = average / step;
  if (!(std::abs(steps) < 0x1p52)) return average;
  const double scale = std::round(1 / step);
  return step < 1 ? std::round(steps) / scale : std::round(steps) * step;  // as decimals: 841 tenths are 84.1
}

template <class T>
PackedBytes packed(std::span<const std::optional<T>> values) {
  PackedBytes bytes;
  pack(values, bytes);
  return bytes;
}

std::vector<milliseconds> times_of(const StoredBlock& block, std::span<const std::uint8_t> column) {
  std::vector<milliseconds> times;
  for (const auto& word : unpack_wholes(column, block.rows)) {
    times.push_back(block.first + milliseconds(static_cast<std::int64_t>(word.value_or(0))));
  }
  return times;
}

void read_ticks(const StoredBlock& block, const ColumnReader& columns, std::size_t metric, const TakePiece& take) {
  const auto times = times_of(block, columns[0]);
  const auto values = unpack_reals(columns[metric + 1], block.rows);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (values[i]) take(times[i], {1, *values[i], *values[i], *values[i], *values[i]});
  }
}

void read_pieces(const StoredBlock& block, const ColumnReader& columns, std::size_t metric, const TakePiece& take) {
  const auto times = times_of(block, columns[0]);
  const std::size_t begin = 1 + metric * kColumns;
  const auto counts = unpack_wholes(columns[begin], block.rows);
  std::vector<HistoryBucket> buckets(block.rows);
  for (std::size_t part = 0; part < kParts.size(); ++part) {
    const auto values = unpack_reals(columns[begin + 1 + part], block.rows);
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].*kParts[part] = values[i].value_or(0);
  }
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (!counts[i]) continue;
    buckets[i].count = *counts[i];
    take(times[i], buckets[i]);
  }
}

std::size_t columns_of(std::size_t tier, const Layout& layout) {
  return 1 + layout.metrics.size() * (tier == 0 ? 1 : kColumns);
}

}  // namespace

std::string Layout::text() const {
  return fmt::format("{}", fmt::join(metrics, ","));
}

Layout Layout::parse(std::string_view text) {
  Layout layout;
  for (const auto name : split(text, ',')) layout.metrics.emplace_back(name);
  return layout;
}

std::optional<std::size_t> Layout::find(std::string_view metric) const {
  const auto found = std::ranges::find(metrics, metric);
  if (found == metrics.end()) return std::nullopt;
  return static_cast<std::size_t>(found - metrics.begin());
}

StoredBlock stored_block(const Ticks& ticks, milliseconds offset) {
  StoredBlock stored;
  stored.since = ticks.times.front();
  stored.first = ticks.times.front() + offset;
  stored.last = ticks.times.back() + offset;
  stored.rows = ticks.times.size();
  ColumnWriter columns;
  std::vector<std::optional<std::uint64_t>> times;
  for (const milliseconds at : ticks.times) times.emplace_back(static_cast<std::uint64_t>((at - stored.since).count()));
  columns.add(packed<std::uint64_t>(times));
  for (const auto& values : ticks.metrics) columns.add(packed<double>(values));
  stored.bytes = columns.bytes();
  return stored;
}

bool read_metric(const StoredBlock& block, std::size_t metric, const Layout& layout, const TakePiece& take) {
  const auto columns = ColumnReader::parse(block.bytes);
  if (!columns || columns->size() != columns_of(block.tier, layout) || metric >= layout.metrics.size()) return false;
  if (block.tier == 0) {
    read_ticks(block, *columns, metric, take);
  } else {
    read_pieces(block, *columns, metric, take);
  }
  return true;
}

bool TierSum::add(const StoredBlock& block) {
  const auto columns = ColumnReader::parse(block.bytes);
  if (!columns || columns->size() != columns_of(block.tier, layout_)) return false;
  if (pieces_.empty()) {
    run_ = block.run;
    layout_id_ = block.layout;
    offset_ = block.offset();
  }
  for (std::size_t metric = 0; metric < layout_.metrics.size(); ++metric) {
    static_cast<void>(read_metric(block, metric, layout_, [&](milliseconds at, const HistoryBucket& bucket) {
      Piece& piece = pieces_[floor_to(at, kTiers.at(tier_).piece)];
      piece.resize(layout_.metrics.size());
      merge(piece[metric], bucket);
    }));
  }
  return true;
}

// One value a piece, or none.
template <class T, class Of>
PackedBytes TierSum::column(Of of) const {
  std::vector<std::optional<T>> values;
  for (const auto& [at, piece] : pieces_) values.push_back(of(at, piece));
  return packed<T>(values);
}

void TierSum::add_metric(std::size_t metric, ColumnWriter& columns) const {
  columns.add(column<std::uint64_t>([&](milliseconds, const Piece& piece) {
    return piece[metric] ? std::optional<std::uint64_t>(piece[metric]->count) : std::nullopt;
  }));
  for (const auto part : kParts) {
    columns.add(column<double>([&](milliseconds, const Piece& piece) -> std::optional<double> {
      if (!piece[metric]) return std::nullopt;
      const double value = (*piece[metric]).*part;
      return part == &HistoryBucket::avg ? rounded_average(layout_.metrics[metric], value) : value;
    }));
  }
}

std::optional<StoredBlock> TierSum::block() const {
  if (pieces_.empty()) return std::nullopt;
  StoredBlock block;
  block.tier = tier_;
  block.run = run_;
  block.layout = layout_id_;
  block.first = pieces_.begin()->first;
  block.last = pieces_.rbegin()->first;
  block.since = block.first - offset_;
  block.rows = pieces_.size();
  ColumnWriter columns;
  columns.add(column<std::uint64_t>(
      [&](milliseconds at, const Piece&) { return static_cast<std::uint64_t>((at - block.first).count()); }));
  for (std::size_t metric = 0; metric < layout_.metrics.size(); ++metric) add_metric(metric, columns);
  block.bytes = columns.bytes();
  return block;
}

}  // namespace gpukeeper::history_file
