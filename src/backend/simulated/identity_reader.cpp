#include "backend/simulated/identity_reader.hpp"

#include "backend/simulated/curve_reader.hpp"

namespace gpukeeper::simulated {

using namespace yaml;
namespace {

constexpr std::string_view kIdentityKeys[] = {"user", "command_line", "executable", "container", "pod_uid", "pod",
                                              "unit", "slurm_job",    "root",       "age",       "cpu",     "resident"};
constexpr std::string_view kMissingKeys[] = {"missing"};
constexpr std::string_view kContainerKeys[] = {"runtime", "id"};
constexpr std::string_view kPodKeys[] = {"namespace", "name", "container"};
constexpr std::string_view kRootKeys[] = {"name", "pid", "terminal"};

constexpr double kMaxCpu = 100 * 4096;  // a machine of 4096 cores
constexpr ValueType kCpu{"cpu", FieldKind::number, 0, kMaxCpu};
constexpr ValueType kResident{"resident", FieldKind::whole, 0, kMaxBytes, true};

// A text, "~" or {missing: not_permitted}.
ProcessFacts::Text text_or_reason(const YamlNode& process, std::string_view key) {
  const YamlNode* node = process.find(key);
  if (!node || node->kind == YamlNode::Kind::null) return missing(Missing::not_supported);
  if (node->kind != YamlNode::Kind::map) return text(*node, key);
  check_keys(*node, key, kMissingKeys);
  return missing(choice(required(*node, key, "missing", "not_permitted"), "missing", kReasons));
}

Container container(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::map) {
    check_keys(node, "a container", kContainerKeys);
    return {text(required(node, "a container", "runtime", "docker"), "runtime"),
            text(required(node, "a container", "id", "4f1c09aa37de"), "id")};
  }
  constexpr std::string_view kWanted = "a runtime and an id such as docker:4f1c09aa37de";
  const auto written = scalar(node, "container", kWanted);
  const auto colon = written.find(':');
  if (colon == 0 || colon >= written.size() - 1) {
    refuse(node.mark, "'container' must be {}, not {}", kWanted, shown(node));
  }
  return {std::string(written.substr(0, colon)), std::string(written.substr(colon + 1))};
}

PodNames pod(const YamlNode& node) {
  mapping(node, "a pod", "{namespace: ml, name: trainer-0, container: main}");
  check_keys(node, "a pod", kPodKeys);
  PodNames result;
  result.name_space = text(required(node, "a pod", "namespace", "ml"), "namespace");
  result.pod = text(required(node, "a pod", "name", "trainer-0"), "name");
  if (const YamlNode* container = node.find("container")) result.container = text(*container, "container");
  return result;
}

// Known as soon as one of its keys is given, be it as "~": then the others are known to be none.
Metric<ProcessPlace> place(const YamlNode& process) {
  ProcessPlace result;
  bool known = false;
  const auto given = [&](std::string_view key) -> const YamlNode* {
    const YamlNode* node = process.find(key);
    known |= node != nullptr;
    return node && node->kind != YamlNode::Kind::null ? node : nullptr;
  };
  if (const auto* node = given("container")) result.container = container(*node);
  if (const auto* node = given("pod_uid")) result.pod_uid = text(*node, "pod_uid");
  if (const auto* node = given("pod")) result.pod = pod(*node);
  if (const auto* node = given("unit")) result.unit = text(*node, "unit");
  if (const auto* node = given("slurm_job")) result.slurm_job = text(*node, "slurm_job");
  if (!known) return missing(Missing::not_supported);
  return result;
}

Metric<std::optional<InteractiveRoot>> root(const YamlNode& process) {
  const YamlNode* node = process.find("root");
  if (!node) return missing(Missing::not_supported);
  if (node->kind == YamlNode::Kind::null) return std::nullopt;
  mapping(*node, "a root", "{name: bash, pid: 4100, terminal: pts/3}");
  check_keys(*node, "a root", kRootKeys);
  InteractiveRoot result;
  result.name = text(required(*node, "a root", "name", "bash"), "name");
  result.pid = static_cast<std::int64_t>(whole(required(*node, "a root", "pid", "4100"), "pid", 1, kMaxPid));
  if (const YamlNode* terminal = node->find("terminal")) result.terminal = text(*terminal, "terminal");
  return result;
}

}  // namespace

Words identity_keys() {
  return kIdentityKeys;
}

Identity identity(const YamlNode& process) {
  Identity result;
  ProcessFacts& facts = result.facts;
  const auto absent = missing(Missing::not_supported);
  facts.uid = absent;
  facts.start_ticks = absent;
  facts.pid_in_namespace = absent;
  facts.cpu = absent;
  facts.resident = absent;
  facts.user = text_or_reason(process, "user");
  facts.command_line = text_or_reason(process, "command_line");
  facts.executable = text_or_reason(process, "executable");
  facts.place = place(process);
  facts.root = root(process);
  if (const YamlNode* age = process.find("age")) result.age = duration(*age, "age");
  if (const YamlNode* cpu = process.find("cpu")) result.cpu = curve(*cpu, kCpu);
  if (const YamlNode* resident = process.find("resident")) result.resident = curve(*resident, kResident);
  return result;
}

}  // namespace gpukeeper::simulated
