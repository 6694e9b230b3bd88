#include "format/process_json.hpp"

#include "format/human.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper {
namespace {

// Fills an object, and notes beside it why what is null is null.
class Members {
 public:
  explicit Members(Json& object) : object_(object) {}

  template <class T, class F>
  void add(const char* name, const Metric<T>& value, F to_value) {
    object_[name] = value ? to_value(*value) : Json();
    if (!value) missing_[name] = to_string(value.error());
  }
  template <class T>
  void add(const char* name, const Metric<T>& value) {
    add(name, value, [](const T& known) { return Json(known); });
  }
  void add_percent(const char* name, const Metric<Percent>& value) {
    add(name, value, [](Percent share) { return to_json(MetricValue(share.value())); });
  }
  void add_bytes(const char* name, const Metric<Bytes>& value) {
    add(name, value, [](Bytes bytes) { return Json(bytes.value()); });
  }

  Json take_missing() { return std::move(missing_); }

 private:
  Json& object_;
  Json missing_ = Json::object();
};

Json container_json(const ProcessPlace& place) {
  if (!place.container) return {};
  return {{"runtime", place.container->runtime}, {"id", place.container->id}};
}

Json pod_json(const ProcessPlace& place) {
  if (!place.pod) return {};
  return {{"namespace", place.pod->name_space},
          {"name", place.pod->pod},
          {"container", text_or_null(place.pod->container)}};
}

Json root_json(const std::optional<InteractiveRoot>& root) {
  if (!root) return {};
  return {{"pid", root->pid}, {"name", root->name}, {"terminal", text_or_null(root->terminal)}};
}

Json class_json(const Classification& verdict) {
  return {{"kind", to_string(verdict.kind)},
          {"rule", text_or_null(verdict.rule)},
          {"reason", text_or_null(verdict.reason)},
          {"confidence", to_json(MetricValue(verdict.confidence))}};
}

void add_who(Members& members, const ProcessFacts& facts, CommandLines command_lines) {
  members.add("user", facts.user);
  members.add("uid", facts.uid);
  if (command_lines == CommandLines::given) members.add("command_line", facts.command_line);
  members.add("executable", facts.executable);
  members.add("started_at", facts.started, [](WallTime time) { return Json(rfc3339(time)); });
  members.add("cpu_percent", facts.cpu, [](Percent share) { return to_json(MetricValue(share.value())); });
  members.add_bytes("resident_bytes", facts.resident);
  members.add("pid_in_namespace", facts.pid_in_namespace);
  members.add("container", facts.place, container_json);
  members.add("pod_uid", facts.place, [](const ProcessPlace& place) { return or_null(place.pod_uid); });
  members.add("pod", facts.place, pod_json);
  members.add("unit", facts.place, [](const ProcessPlace& place) { return or_null(place.unit); });
  members.add("slurm_job", facts.place, [](const ProcessPlace& place) { return or_null(place.slurm_job); });
  members.add("root", facts.root, root_json);
}

}  // namespace

Json process_json(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& p,
                  CommandLines command_lines) {
  const ProcessFacts* facts = facts_of(snapshot, device, p);
  Json json = {{"pid", p.pid}, {"name", p.name}, {"type", p.type.to_string()}};
  Members members(json);
  members.add_bytes("memory_bytes", p.memory);
  members.add_percent("utilization_percent", p.utilization);
  members.add_percent("utilization_memory_percent", p.utilization_memory);
  members.add_percent("utilization_encoder_percent", p.utilization_encoder);
  members.add_percent("utilization_decoder_percent", p.utilization_decoder);
  json["partition_uuid"] = p.partition ? Json(p.partition->text) : Json();
  if (facts != nullptr) {
    add_who(members, *facts, command_lines);
    json["class"] = class_json(facts->classification);
  }
  json["missing"] = members.take_missing();
  return json;
}

}  // namespace gpukeeper
