#include <algorithm>

#include "core/rfc3339.hpp"
#include "recording/metric_json.hpp"

namespace gpukeeper::recording {

template <>
struct Plain<WallTime> {
  static Json write(WallTime time) { return rfc3339(time); }
  static bool read(const Json& json, WallTime& time) {
    if (!json.is_string()) return false;
    const auto parsed = parse_rfc3339(json.get_ref<const std::string&>());
    if (parsed) time = *parsed;
    return parsed.has_value();
  }
};

template <>
struct Plain<ProcessPlace> {
  static Json write(const ProcessPlace& place) {
    Json json = Json::object();
    if (place.container) json["container"] = {{"runtime", place.container->runtime}, {"id", place.container->id}};
    if (place.pod_uid) json["pod_uid"] = *place.pod_uid;
    if (place.pod) {
      json["pod"] = {
          {"namespace", place.pod->name_space}, {"name", place.pod->pod}, {"container", place.pod->container}};
    }
    if (place.unit) json["unit"] = *place.unit;
    if (place.slurm_job) json["slurm_job"] = *place.slurm_job;
    return json;
  }
  static bool read(const Json& json, ProcessPlace& place) {
    if (!json.is_object()) return false;
    if (const Json* container = member(json, "container")) {
      place.container = {text_member(*container, "runtime").value_or("unknown"),
                         text_member(*container, "id").value_or("")};
    }
    place.pod_uid = text_member(json, "pod_uid");
    if (const Json* pod = member(json, "pod")) {
      place.pod = {text_member(*pod, "namespace").value_or(""), text_member(*pod, "name").value_or(""),
                   text_member(*pod, "container").value_or("")};
    }
    place.unit = text_member(json, "unit");
    place.slurm_job = text_member(json, "slurm_job");
    return true;
  }
};

// An empty object stands for: known to be nobody's.
template <>
struct Plain<std::optional<InteractiveRoot>> {
  static Json write(const std::optional<InteractiveRoot>& root) {
    if (!root) return Json::object();
    return {{"pid", root->pid}, {"name", root->name}, {"terminal", root->terminal}};
  }
  static bool read(const Json& json, std::optional<InteractiveRoot>& root) {
    if (!json.is_object()) return false;
    InteractiveRoot found;
    const Json* pid = member(json, "pid");
    if (pid == nullptr || !Plain<std::int64_t>::read(*pid, found.pid)) return json.empty();
    found.name = text_member(json, "name").value_or("");
    found.terminal = text_member(json, "terminal").value_or("");
    root = std::move(found);
    return true;
  }
};

namespace {

constexpr ProcessClass kClasses[] = {ProcessClass::unknown,      ProcessClass::mining, ProcessClass::ml_training,
                                     ProcessClass::ml_inference, ProcessClass::ml,     ProcessClass::video,
                                     ProcessClass::gaming,       ProcessClass::desktop};

/// Calls `each` with every metric of the facts: its name here, it itself, and a value of its type.
template <class Facts, class Each>
void each_metric(Facts& facts, const Each& each) {
  each("user", facts.user, std::string());
  each("uid", facts.uid, std::uint32_t{});
  each("command", facts.command, std::string());
  each("command_line", facts.command_line, std::string());
  each("executable", facts.executable, std::string());
  each("started", facts.started, WallTime());
  each("start_ticks", facts.start_ticks, std::uint64_t{});
  each("cpu_percent", facts.cpu, Percent(0));
  each("resident_bytes", facts.resident, Bytes(0));
  each("place", facts.place, ProcessPlace());
  each("root", facts.root, std::optional<InteractiveRoot>());
  each("pid_in_namespace", facts.pid_in_namespace, std::int64_t{});
}

Json to_json(const ProcessFacts& facts) {
  Json json = Json::object();
  each_metric(facts, [&](std::string_view name, const auto& metric, const auto&) {
    put(json, name, metric, Missing::not_yet_read);
  });
  const Classification& verdict = facts.classification;
  if (verdict != Classification()) {
    json["class"] = {{"kind", to_string(verdict.kind)},
                     {"rule", verdict.rule},
                     {"reason", verdict.reason},
                     {"confidence", number(verdict.confidence)}};
  }
  return json;
}

ProcessFacts facts_from(std::int64_t pid, const Json& json, Notes& notes) {
  ProcessFacts facts;
  facts.pid = pid;
  each_metric(facts, [&](std::string_view name, auto& metric, auto zero) { get(json, name, metric, zero, notes); });
  if (const Json* verdict = member(json, "class")) {
    const auto word = text_member(*verdict, "kind").value_or("");
    const auto* kind = std::ranges::find(kClasses, word, [](ProcessClass c) { return to_string(c); });
    facts.classification = {kind == std::end(kClasses) ? ProcessClass::unknown : *kind,
                            text_member(*verdict, "rule").value_or(""), text_member(*verdict, "reason").value_or(""),
                            std::clamp(number_member(*verdict, "confidence").value_or(0), 0.0, 1.0)};
  }
  return facts;
}

/// Calls `each` with every metric of the process.
template <class Process, class Each>
void each_share(Process& process, const Each& each) {
  each("utilization_percent", process.utilization);
  each("utilization_memory_percent", process.utilization_memory);
  each("utilization_encoder_percent", process.utilization_encoder);
  each("utilization_decoder_percent", process.utilization_decoder);
}

}  // namespace

Json to_json(const GpuProcess& process) {
  Json json = {{"name", process.name}};
  Json& type = json["type"] = Json::array();
  if (process.type.compute) type.push_back("compute");
  if (process.type.graphics) type.push_back("graphics");
  if (process.type.mps) type.push_back("mps");
  put(json, "memory_bytes", process.memory, Missing::not_supported);
  each_share(process, [&](std::string_view name, const Metric<Percent>& metric) {
    put(json, name, metric, Missing::not_supported);
  });
  if (process.partition) json["partition"] = process.partition->text;
  if (process.facts) json["facts"] = to_json(*process.facts);
  return json;
}

GpuProcess process_from(std::int64_t pid, const Json& json, Notes& notes) {
  GpuProcess process;
  process.pid = pid;
  process.name = text_member(json, "name").value_or("");
  if (const Json* type = member(json, "type"); type != nullptr && type->is_array()) {
    const auto has = [&](std::string_view word) { return std::ranges::find(*type, word) != type->end(); };
    process.type = {has("compute"), has("graphics"), has("mps")};
  }
  get(json, "memory_bytes", process.memory, Bytes(0), notes);
  each_share(process, [&](std::string_view name, Metric<Percent>& metric) {
    get(json, name, metric, Percent(0), notes);
    if (metric) metric = Percent(std::clamp(metric->value(), 0.0, 100.0));
  });
  if (auto partition = text_member(json, "partition")) process.partition = DeviceId{std::move(*partition)};
  if (const Json* facts = member(json, "facts"); facts != nullptr && facts->is_object()) {
    process.facts = std::make_shared<const ProcessFacts>(facts_from(pid, *facts, notes));
  }
  return process;
}

}  // namespace gpukeeper::recording
