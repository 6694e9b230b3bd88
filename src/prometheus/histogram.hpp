#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "prometheus/exposition.hpp"

namespace gpukeeper::prometheus {

/// The upper border of a histogram's bucket, and the label that bears it.
struct Bucket {
  double most;  ///< seconds
  std::string_view label;
};

/// The usual borders of Prometheus clients, which the documented dashboards expect (contract 1.2.3), written as
/// Python's client does.
inline constexpr std::array<Bucket, 14> kDocumentedBuckets = {{{.005, "le=\"0.005\""},
                                                               {.01, "le=\"0.01\""},
                                                               {.025, "le=\"0.025\""},
                                                               {.05, "le=\"0.05\""},
                                                               {.075, "le=\"0.075\""},
                                                               {.1, "le=\"0.1\""},
                                                               {.25, "le=\"0.25\""},
                                                               {.5, "le=\"0.5\""},
                                                               {.75, "le=\"0.75\""},
                                                               {1, "le=\"1.0\""},
                                                               {2.5, "le=\"2.5\""},
                                                               {5, "le=\"5.0\""},
                                                               {7.5, "le=\"7.5\""},
                                                               {10, "le=\"10.0\""}}};

/// For what takes far less than that: a look at the GPUs.
inline constexpr std::array<Bucket, 14> kFineBuckets = {{{.0005, "le=\"0.0005\""},
                                                         {.001, "le=\"0.001\""},
                                                         {.0025, "le=\"0.0025\""},
                                                         {.005, "le=\"0.005\""},
                                                         {.01, "le=\"0.01\""},
                                                         {.02, "le=\"0.02\""},
                                                         {.05, "le=\"0.05\""},
                                                         {.1, "le=\"0.1\""},
                                                         {.25, "le=\"0.25\""},
                                                         {.5, "le=\"0.5\""},
                                                         {1, "le=\"1.0\""},
                                                         {2.5, "le=\"2.5\""},
                                                         {5, "le=\"5.0\""},
                                                         {10, "le=\"10.0\""}}};

/// How often something took how long. A value: its owner guards it.
class Histogram {
 public:
  explicit Histogram(std::span<const Bucket, 14> buckets = kDocumentedBuckets) : buckets_(buckets) {}

  /// `times`: so often the same. Negative times count as none: clocks of others go back.
  void observe(std::chrono::nanoseconds time, std::uint64_t times = 1);

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }  ///< seconds

  /// Its lines: the buckets, _sum and _count.
  void write(Exposition& out, std::string_view labels) const;

 private:
  std::span<const Bucket, 14> buckets_;
  std::array<std::uint64_t, 14> below_{};  // of each bucket alone
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace gpukeeper::prometheus
