#include "prometheus/family_documented.hpp"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "prometheus/labels.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

struct Gauge {
  Family family;
  Metric<double> (*value)(const Reading&);
};

double mebibytes(Bytes size) {
  return static_cast<double>(size.value()) / (1 << 20);  // "MB" in the documents
}

// The help texts are the documented ones.
const std::vector<Gauge>& gauges() {
  using R = const Reading&;
  using M = Metric<double>;
  static const std::vector<Gauge> all = {
      {Family("gpu_utilization_percent", gauge, "percent", "GPU utilization percentage"),
       [](R r) -> M { return r.utilization.map(&Percent::value); }},
      {Family("gpu_memory_usage_mb", gauge, "", "GPU memory usage in MB"),
       [](R r) -> M { return r.memory_used.map(mebibytes); }},
      {Family("gpu_memory_total_mb", gauge, "", "Total GPU memory in MB"),
       [](R r) -> M { return r.memory_total.map(mebibytes); }},
      {Family("gpu_memory_free_mb", gauge, "", "Free GPU memory in MB"),
       [](R r) -> M { return r.memory_free.map(mebibytes); }},
      {Family("gpu_temperature_celsius", gauge, "celsius", "GPU temperature in Celsius"),
       [](R r) -> M { return guarding_temperature(r).map(&Celsius::value); }},
      {Family("gpu_power_usage_watts", gauge, "watts", "GPU power usage in watts"),
       [](R r) -> M { return r.power.map(&Watts::value); }},
  };
  return all;
}

void write_gauges(Exposition& out, const MetricFacts& facts) {
  std::vector<std::string> labels;
  for (const DeviceSnapshot& device : facts.snapshot->devices) {
    labels.push_back(allocation_labels(fmt::format("{}", device.index), facts.service_name));
  }
  for (const Gauge& each : gauges()) {
    out.begin(each.family);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (const auto value = each.value(facts.snapshot->devices[i].reading)) out.add(labels[i], *value);
    }
  }
}

void write_operations(Exposition& out, const OperationBook::Sums& sums) {
  static const Family kThroughput("gpu_throughput_ops_total", counter, "", "Total GPU operations");
  static const Family kLatency("gpu_operation_latency_seconds", histogram, "seconds", "GPU operation latency");
  out.begin(kThroughput);
  for (const auto& [labels, sum] : sums.operations) out.add(labels, sum.count);
  out.begin(kLatency);
  for (const auto& [labels, sum] : sums.operations) sum.latency.write(out, labels);
}

// What was counted, and zeros for what may be. By labels: a series stands only once.
using Allocations = std::map<std::string, const OperationBook::Allocations*>;

Allocations allocations(const MetricFacts& facts) {
  static const OperationBook::Allocations kNone;
  Allocations all;
  for (const DeviceSnapshot& device : facts.snapshot->devices) {
    const std::string index = fmt::format("{}", device.index);
    all.emplace(allocation_labels(index, facts.service_name), &kNone);
    for (const std::string& service : facts.services) all.emplace(allocation_labels(index, service), &kNone);
  }
  for (const auto& [labels, sum] : facts.operations.allocations) all[labels] = &sum;
  return all;
}

void write_allocations(Exposition& out, const MetricFacts& facts) {
  static const Family kRequests("gpu_allocation_requests_total", counter, "", "Total GPU allocation requests");
  static const Family kDuration("gpu_allocation_duration_seconds", histogram, "seconds", "GPU allocation duration");
  const Allocations all = allocations(facts);
  out.begin(kRequests);
  for (const auto& [labels, sum] : all) {
    out.add(labels, "status=\"success\"", sum->succeeded);
    out.add(labels, "status=\"failed\"", sum->failed);
  }
  out.begin(kDuration);
  for (const auto& [labels, sum] : all) sum->duration.write(out, labels);
}

}  // namespace

void write_documented(Exposition& out, const MetricFacts& facts) {
  write_gauges(out, facts);
  write_operations(out, facts.operations);
  write_allocations(out, facts);
}

}  // namespace gpukeeper::prometheus
