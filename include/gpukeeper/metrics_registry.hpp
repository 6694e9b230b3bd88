#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// A metric of the program's own.
struct MetricDef {
  enum class Type { gauge, counter };

  std::string name = {};  ///< behind the prefix: letters, digits and '_'; of a counter best with "_total" at its end
  std::string help = {};
  Type type = Type::gauge;
  std::vector<std::string> labels = {};  ///< names that its samples may bear

  static MetricDef gauge(std::string name, std::string help) { return {std::move(name), std::move(help)}; }
  static MetricDef counter(std::string name, std::string help) {
    return {std::move(name), std::move(help), Type::counter};
  }
  MetricDef with_labels(std::vector<std::string> names) && {
    labels = std::move(names);
    return std::move(*this);
  }
};

/// Names and values, in the order added.
class LabelSet {
 public:
  using Pair = std::pair<std::string, std::string>;

  LabelSet() = default;
  static LabelSet from_pairs(std::vector<Pair> pairs) {
    LabelSet result;
    result.pairs_ = std::move(pairs);
    return result;
  }
  LabelSet& add(std::string name, std::string value) {
    pairs_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  const std::vector<Pair>& pairs() const { return pairs_; }

 private:
  std::vector<Pair> pairs_;
};

/// The latest value of each series, and how they are written; what PrometheusExporter stands on. Of each series only
/// one value is kept, and of series at most kMostSeries, so that a program that runs for months needs no more memory.
///
/// What answers a text says what was wrong, and has changed nothing; it is empty when all went well. Nothing throws.
/// Threads: every member may be called from any.
class GPUKEEPER_API MetricsRegistry {
 public:
  static constexpr std::size_t kMostSeries = 10'000;

  MetricsRegistry();

  /// What stands before every name; "entrenar" at first.
  [[nodiscard]] std::string set_prefix(std::string_view prefix);
  /// What every line bears, before its own labels.
  [[nodiscard]] std::string set_labels(const LabelSet& labels);
  /// Each name once.
  [[nodiscard]] std::string add(const MetricDef& metric);
  /// Of the series with these labels. A counter's value never falls.
  [[nodiscard]] std::string record(std::string_view name, double value, const LabelSet& labels = {});

  std::size_t series() const;
  void clear();  ///< forgets the values, not what is registered

  /// Prometheus text 0.0.4, the GPUs first, then metrics as they were registered; no times, so that what ends is seen.
  std::string text(const std::vector<GpuMetrics>& gpus) const;
  /// The same:
  /// {"entrenar_gpu_power_watts":{"type":"gauge","help":"…","samples":[{"labels":{"device":"0"},"value":71}]}}
  std::string json(const std::vector<GpuMetrics>& gpus) const;

 private:
  struct Contents;
  std::shared_ptr<Contents> contents_;
};

}  // namespace v0
}  // namespace gpukeeper
