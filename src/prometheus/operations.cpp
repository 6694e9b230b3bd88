#include "prometheus/operations.hpp"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "prometheus/labels.hpp"

namespace gpukeeper::prometheus {

std::string allocation_labels(std::string_view device, std::string_view service) {
  std::string labels;
  add_label(labels, "device_id", device);
  add_label(labels, "service_name", service);
  return labels;
}

Result<void> OperationBook::note(std::span<const Operation> operations) {
  std::vector<Labels> labels;
  for (const Operation& each : operations) {
    labels.push_back(allocation_labels(each.device, each.service));
    add_label(labels.back(), "operation_type", each.operation);
  }
  std::scoped_lock lock(mutex_);
  std::set<std::string_view> unknown;
  for (const Labels& each : labels) {
    if (!sums_.operations.contains(each)) unknown.insert(each);
  }
  if (sums_.operations.size() + unknown.size() > kMostSeries) {
    return fail(Errc::resource_exhausted,
                fmt::format("no more than {} kinds of operations are counted, by GPU, service and operation, until "
                            "gpukeeper starts anew: name operations by what they are, not by whom they serve",
                            kMostSeries));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Operations& sum = sums_.operations[labels[i]];
    sum.count += operations[i].count;
    if (operations[i].took) sum.latency.observe(*operations[i].took, operations[i].count);
  }
  return {};
}

void OperationBook::note(const Allocation& allocation) {
  std::string labels = allocation_labels(allocation.device, allocation.service);
  std::scoped_lock lock(mutex_);
  if (sums_.allocations.size() >= kMostSeries && !sums_.allocations.contains(labels)) {
    labels = allocation_labels("none", "other");
  }
  Allocations& sum = sums_.allocations[labels];
  ++(allocation.granted ? sum.succeeded : sum.failed);
  sum.duration.observe(allocation.took);
}

OperationBook::Sums OperationBook::read() const {
  std::scoped_lock lock(mutex_);
  return sums_;
}

}  // namespace gpukeeper::prometheus
