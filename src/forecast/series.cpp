#include "forecast/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace gpukeeper::forecast {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double merge(std::vector<double>& values, Merged merged) {
  if (merged == Merged::mean) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Those that can be used.
std::vector<TimedValue> in_order(std::span<const TimedValue> values, MonotonicTime end) {
  std::vector<TimedValue> kept;
  kept.reserve(values.size());
  for (const TimedValue& value : values) {
    if (value.at > end || !std::isfinite(value.value)) continue;
    if (kept.empty() || value.at >= kept.back().at) kept.push_back(value);
  }
  return kept;
}

}  // namespace

Series::Series(std::span<const TimedValue> values, MonotonicTime end, Merged merged, double spike) {
  const auto kept = in_order(values, end);
  const auto back = [&](const TimedValue& value) { return static_cast<std::size_t>((end - value.at) / kCell); };
  if (!kept.empty()) cells_.assign(std::min(kMostCells, back(kept.front()) + 1), kUnknown);
  std::vector<double> gathered;
  for (std::size_t i = 0; i < kept.size();) {
    const std::size_t place = back(kept[i]);
    gathered.clear();
    for (; i < kept.size() && back(kept[i]) == place; ++i) gathered.push_back(kept[i].value);
    if (place < cells_.size()) cells_[cells_.size() - 1 - place] = merge(gathered, merged);
  }
  if (spike > 0) drop_spikes(spike);
  bridge_holes();
  count();
}

// Of the last cell it cannot be told whether it is one.
void Series::drop_spikes(double spike) {
  const auto original = cells_;
  for (std::size_t i = 1; i + 1 < original.size(); ++i) {
    const double before = original[i] - original[i - 1], after = original[i] - original[i + 1];
    const bool alone = std::abs(before) > spike && std::abs(after) > spike && (before > 0) == (after > 0);
    if (alone) cells_[i] = kUnknown;
  }
}

void Series::bridge_holes() {
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (std::isnan(cells_[i])) continue;
    if (last && i - *last > 1 && i - *last <= kHole + 1) {
      const double from = cells_[*last], step = (cells_[i] - from) / static_cast<double>(i - *last);
      for (std::size_t k = *last + 1; k < i; ++k) cells_[k] = from + step * static_cast<double>(k - *last);
    }
    last = i;
  }
}

void Series::count() {
  unbroken_.resize(cells_.size());
  sums_.assign(cells_.size() + 1, 0);
  sum_known_.assign(cells_.size() + 1, 0);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const bool is_known = !std::isnan(cells_[i]);
    unbroken_[i] = is_known ? (i > 0 ? unbroken_[i - 1] : 0) + 1 : 0;
    sums_[i + 1] = sums_[i] + (is_known ? cells_[i] : 0);
    sum_known_[i + 1] = sum_known_[i] + (is_known ? 1 : 0);
  }
  known_ = sum_known_.back();
}

double Series::lowest() const {
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (known(i)) lowest = std::min(lowest, cells_[i]);
  }
  return lowest;
}

double Series::slope(std::size_t cell, std::size_t before) const {
  const double middle = static_cast<double>(before) / 2;
  double covariance = 0, variance = 0;
  for (std::size_t k = 0; k <= before; ++k) {
    const double away = static_cast<double>(k) - middle;
    covariance += away * (cells_[cell - before + k] - cells_[cell]);
    variance += away * away;
  }
  return variance > 0 ? covariance / variance / static_cast<double>(kCell.count()) : 0;
}

Series::Mean Series::mean(std::size_t cell, std::size_t count) const {
  const std::size_t first = cell + 1 > count ? cell + 1 - count : 0;
  const std::size_t known = sum_known_[cell + 1] - sum_known_[first];
  if (known == 0) return {};
  return {(sums_[cell + 1] - sums_[first]) / static_cast<double>(known), known};
}

}  // namespace gpukeeper::forecast
