#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "prometheus/own_parts.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Of one name: two scenarios are both "simulated".
struct SourceSum {
  bool available = true;
  std::uint64_t devices = 0;
};

void add_sources(Exposition& out, const Snapshot& snapshot) {
  static const Family kAvailable("gpukeeper_source_available", gauge, "",
                                 "Whether a source of GPUs can be asked: a driver's library, files of the kernel.");
  static const Family kDevices("gpukeeper_source_gpus", gauge, "", "GPUs that the source lists.");
  static const Family kEvents("gpukeeper_event_source_available", gauge, "",
                              "Whether a source of events can be asked, and whether what it tells is kept.");
  std::map<std::string, SourceSum> sources;
  for (const SourceStatus& source : snapshot.sources) {
    SourceSum& sum = sources[label("source", source.name)];
    sum.available = sum.available && source.available;
    sum.devices += source.devices;
  }
  std::map<std::string, bool> events;
  for (const EventSourceStatus& source : snapshot.event_sources) {
    const auto at = events.emplace(label("source", source.name), true).first;
    at->second = at->second && source.available;
  }
  out.begin(kAvailable);
  for (const auto& [labels, sum] : sources) out.add(labels, sum.available ? 1U : 0U);
  out.begin(kDevices);
  for (const auto& [labels, sum] : sources) out.add(labels, sum.devices);
  out.begin(kEvents);
  for (const auto& [labels, available] : events) out.add(labels, available ? 1U : 0U);
}

void add_cost(Exposition& out, const SelfCost& cost) {
  static const Family kCpu("gpukeeper_cpu_seconds_total", counter, "seconds",
                           "CPU time that gpukeeper has used, user and system.");
  static const Family kResident("gpukeeper_resident_memory_bytes", gauge, "bytes",
                                "Memory of the machine that gpukeeper holds.");
  static const Family kCalls("gpukeeper_driver_calls_total", counter, "",
                             "Calls into vendors' libraries, or files read where there is none.");
  static const Family kTime("gpukeeper_driver_seconds_total", counter, "seconds", "Time spent in them.");
  out.begin(kCpu);
  out.add({}, seconds(cost.cpu));
  out.begin(kResident);
  if (cost.resident.value() > 0) out.add({}, cost.resident.value());  // 0: /proc is not there
  out.begin(kCalls);
  out.add({}, cost.driver.calls);
  out.begin(kTime);
  out.add({}, seconds(cost.driver.time));
}

}  // namespace

void write_self(Exposition& out, const MetricFacts& facts) {
  static const Family kBuild("gpukeeper_build_info", info, "", "The gpukeeper that says all this.");
  static const Family kSnapshots("gpukeeper_snapshots_total", counter, "", "Looks at the GPUs since it was started.");
  static const Family kTaken("gpukeeper_snapshot_timestamp_seconds", gauge, "seconds",
                             "When the latest was, in seconds since 1970 (UTC).");
  const Snapshot& snapshot = *facts.snapshot;
  out.begin(kBuild);
  out.add(label("version", facts.version), 1U);
  out.begin(kSnapshots);
  out.add({}, snapshot.sequence);
  if (snapshot.sequence == 0) return;  // what follows nobody has looked at yet
  out.begin(kTaken);
  out.add({}, seconds(snapshot.taken_at.time_since_epoch()));
  add_cost(out, snapshot.self);
  add_sources(out, snapshot);
}

}  // namespace gpukeeper::prometheus
