#include "prometheus/histogram.hpp"

#include <algorithm>

namespace gpukeeper::prometheus {

void Histogram::observe(std::chrono::nanoseconds time, std::uint64_t times) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(time).count());
  const auto bucket = std::ranges::find_if(buckets_, [&](const Bucket& each) { return seconds <= each.most; });
  if (bucket != buckets_.end()) below_.at(static_cast<std::size_t>(bucket - buckets_.begin())) += times;
  count_ += times;
  sum_ += seconds * static_cast<double>(times);
}

void Histogram::write(Exposition& out, std::string_view labels) const {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < below_.size(); ++i) {
    below += below_.at(i);
    out.add_whole("_bucket", labels, buckets_[i].label, below);
  }
  out.add_whole("_bucket", labels, "le=\"+Inf\"", count_);
  out.add_number("_sum", labels, {}, sum_);
  out.add_whole("_count", labels, {}, count_);
}

}  // namespace gpukeeper::prometheus
