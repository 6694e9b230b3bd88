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

// By labels: names that differ may be the same as labels, and a series stands only once.
void add_counts(Exposition& out, std::string_view name, const std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& [text, count] : counts) sums[label(name, text)] += count;
  for (const auto& [labels, sum] : sums) out.add(labels, sum);
}

void add_ticks(Exposition& out, const MetricFacts& facts) {
  static const Family kTick("gpukeeper_tick_duration_seconds", histogram, "seconds",
                            "How long a look at all GPUs took.");
  static const Family kLag("gpukeeper_tick_lag_seconds", histogram, "seconds", "How much later than due it began.");
  static const Family kFailed("gpukeeper_failed_steps_total", counter, "",
                              "Steps of gpukeeper's own work that failed: a mistake of its, or no memory.");
  static const Family kSources("gpukeeper_source_losses_total", counter, "", "Times that a source stopped answering.");
  static const Family kGpus("gpukeeper_gpu_losses_total", counter, "",
                            "Times that a GPU of the source stopped answering, but for those that fell asleep.");
  const SelfFigures& self = facts.self;
  out.begin(kTick);
  if (self.tick.count() > 0) self.tick.write(out, {});
  out.begin(kLag);
  if (self.lag.count() > 0) self.lag.write(out, {});
  out.begin(kFailed);
  out.add({}, facts.failed_steps);
  out.begin(kSources);
  add_counts(out, "source", self.lost_sources);
  out.begin(kGpus);
  add_counts(out, "source", self.lost_devices);
}

void add_answers(Exposition& out, const SelfFigures& self) {
  static const Family kAnswers("gpukeeper_http_responses_total", counter, "", "Answers over HTTP, by status.");
  static const Family kTime("gpukeeper_http_answering_seconds_total", counter, "seconds",
                            "Time that finding these answers took, waiting included.");
  out.begin(kAnswers);
  for (const auto& [status, count] : self.answers) out.add(plain_label("code", std::to_string(status)), count);
  out.begin(kTime);
  out.add({}, seconds(self.answering));
}

void add_queues(Exposition& out, const MetricFacts& facts) {
  static const Family kQueue("gpukeeper_queue_length", gauge, "", "Work that waits for a thread of gpukeeper's.");
  static const Family kListeners("gpukeeper_event_clients", gauge, "", "Clients that listen to events over HTTP.");
  static const Family kSent("gpukeeper_sink_notices_sent_total", counter, "", "Notices of alerts that arrived.");
  static const Family kWaiting("gpukeeper_sink_notices_waiting", gauge, "", "Notices that did not arrive yet.");
  static const Family kDropped("gpukeeper_sink_notices_dropped_total", counter, "", "Notices that never will arrive.");
  out.begin(kQueue);
  for (const auto& [name, length] : facts.queues) out.add(plain_label("queue", name), length);
  out.begin(kListeners);
  out.add({}, facts.event_clients);
  std::map<std::string, SinkFigures> sinks;
  for (const SinkFigures& sink : facts.sinks) {
    SinkFigures& sum = sinks[label("sink", sink.name)];
    sum.sent += sink.sent;
    sum.waiting += sink.waiting;
    sum.dropped += sink.dropped;
  }
  out.begin(kSent);
  for (const auto& [labels, sum] : sinks) out.add(labels, sum.sent);
  out.begin(kWaiting);
  for (const auto& [labels, sum] : sinks) out.add(labels, sum.waiting);
  out.begin(kDropped);
  for (const auto& [labels, sum] : sinks) out.add(labels, sum.dropped);
}

// Nothing where readings are taken nowhere.
void add_exports(Exposition& out, const std::vector<ExportStatus>& exports) {
  static const Family kUp("gpukeeper_export_up", gauge, "",
                          "Whether the latest attempt to take readings there was well.");
  static const Family kSent("gpukeeper_export_sent_total", counter, "", "Rows or samples that arrived there.");
  static const Family kWaiting("gpukeeper_export_waiting", gauge, "", "Ticks or requests that did not arrive yet.");
  static const Family kBytes("gpukeeper_export_waiting_bytes", gauge, "bytes", "Memory that these take.");
  static const Family kDropped("gpukeeper_export_dropped_total", counter, "",
                               "Ticks or requests that never will arrive.");
  static const Family kRefused("gpukeeper_export_refused_total", counter, "",
                               "Samples that a receiver did not take out of requests that it took.");
  static const Family kFailures("gpukeeper_export_failures_total", counter, "", "Attempts that were in vain.");
  const auto add = [&](const Family& family, auto value_of) {
    out.begin(family);
    for (const ExportStatus& each : exports) out.add(plain_label("export", each.name), std::uint64_t{value_of(each)});
  };
  add(kUp, [](const ExportStatus& each) { return std::uint64_t{each.up ? 1U : 0U}; });
  add(kSent, [](const ExportStatus& each) { return each.sent; });
  add(kWaiting, [](const ExportStatus& each) { return each.waiting; });
  add(kBytes, [](const ExportStatus& each) { return each.waiting_bytes; });
  add(kDropped, [](const ExportStatus& each) { return each.dropped; });
  add(kRefused, [](const ExportStatus& each) { return each.refused; });
  add(kFailures, [](const ExportStatus& each) { return each.failures; });
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
  add_answers(out, facts.self);
  add_queues(out, facts);
  add_exports(out, facts.exports);
  if (snapshot.sequence == 0) return;  // what follows nobody has looked at yet
  out.begin(kTaken);
  out.add({}, seconds(snapshot.taken_at.time_since_epoch()));
  add_ticks(out, facts);
  add_cost(out, snapshot.self);
  add_sources(out, snapshot);
}

}  // namespace gpukeeper::prometheus
