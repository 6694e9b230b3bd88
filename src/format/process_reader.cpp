#include "format/process_reader.hpp"

#include <memory>

#include "core/text.hpp"
#include "format/json_metric.hpp"

namespace gpukeeper {
namespace {

constexpr double kMostCpu = 1e6;  // percent: of ten thousand cores

constexpr ProcessClass kClasses[] = {ProcessClass::unknown,      ProcessClass::mining, ProcessClass::ml_training,
                                     ProcessClass::ml_inference, ProcessClass::ml,     ProcessClass::video,
                                     ProcessClass::gaming,       ProcessClass::desktop};

ProcessType type_from(const std::string& words) {
  ProcessType type;
  for (const std::string_view word : split(words, '+')) {
    type.compute |= word == "compute";
    type.graphics |= word == "graphics";
    type.mps |= word == "mps";
  }
  return type;
}

// Its members are known together or not at all.
Metric<ProcessPlace> place_from(const JsonObject& o, const JsonMetrics& metrics) {
  if (o.object("missing").find("unit") != nullptr) return missing(metrics.reason("unit"));
  ProcessPlace place{.container = std::nullopt,
                     .pod_uid = o.text_or_nothing("pod_uid"),
                     .unit = o.text_or_nothing("unit"),
                     .slurm_job = o.text_or_nothing("slurm_job")};
  const JsonObject container = o.object("container");
  if (container.find("id") != nullptr) place.container = {container.text("runtime"), container.text("id")};
  const JsonObject pod = o.object("pod");
  if (pod.find("name") != nullptr) place.pod = {pod.text("namespace"), pod.text("name"), pod.text("container")};
  return place;
}

Metric<std::optional<InteractiveRoot>> root_from(const JsonObject& o, const JsonMetrics& metrics) {
  if (o.object("missing").find("root") != nullptr) return missing(metrics.reason("root"));
  const JsonObject root = o.object("root");
  const auto pid = root.integer("pid");
  if (!pid) return std::optional<InteractiveRoot>();
  return std::optional(InteractiveRoot{*pid, root.text("name"), root.text("terminal")});
}

Classification class_from(const JsonObject& o) {
  return {word_of(kClasses, o.text("kind"), ProcessClass::unknown), o.text("rule"), o.text("reason"),
          std::clamp(o.number("confidence").value_or(0), 0.0, 1.0)};
}

ProcessFacts facts_from(std::int64_t pid, const JsonObject& o, const JsonMetrics& metrics) {
  ProcessFacts facts;
  facts.pid = pid;
  facts.user = metrics.text("user");
  facts.uid = metrics.small("uid");
  facts.command_line = metrics.text("command_line");
  if (o.find("command_line") == nullptr) facts.command_line = missing(Missing::not_permitted);
  facts.executable = metrics.text("executable");
  facts.started = metrics.metric("started_at", o.time("started_at"));
  facts.cpu = metrics.percent("cpu_percent", kMostCpu);
  facts.resident = metrics.bytes("resident_bytes");
  facts.pid_in_namespace = metrics.metric("pid_in_namespace", o.integer("pid_in_namespace"));
  facts.place = place_from(o, metrics);
  facts.root = root_from(o, metrics);
  facts.classification = class_from(o.object("class"));
  return facts;
}

}  // namespace

GpuProcess process_from(const Json& json) {
  const JsonObject o(json);
  const JsonMetrics metrics(json);
  GpuProcess process;
  process.pid = o.integer("pid").value_or(0);
  process.name = o.text("name");
  process.type = type_from(o.text("type"));
  process.memory = metrics.bytes("memory_bytes");
  process.utilization = metrics.percent("utilization_percent");
  process.utilization_memory = metrics.percent("utilization_memory_percent");
  process.utilization_encoder = metrics.percent("utilization_encoder_percent");
  process.utilization_decoder = metrics.percent("utilization_decoder_percent");
  if (auto partition = o.text_or_nothing("partition_uuid")) process.partition = DeviceId{std::move(*partition)};
  if (o.find("user") != nullptr) {  // who it is stands there as a whole, or not at all
    process.facts = std::make_shared<const ProcessFacts>(facts_from(process.pid, o, metrics));
  }
  return process;
}

}  // namespace gpukeeper
