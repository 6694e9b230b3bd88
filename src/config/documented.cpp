#include "config/documented.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "config/codec.hpp"

namespace gpukeeper::config {

using yaml::Mark;
using yaml::YamlNode;

namespace {

struct Name {
  std::string_view documented;
  std::string_view own;
};

constexpr Name kOptimization[] = {{"interval", "reclaim.optimization_interval"},
                                  {"memory_threshold", "reclaim.memory_threshold"},
                                  {"allocation_timeout", "ledger.allocation_timeout"},
                                  {"deallocation_timeout", "ledger.deallocation_timeout"}};
constexpr Name kMonitoring[] = {{"metrics_port", "metrics.listen"}, {"update_interval", "sample_interval"}};
constexpr Name kService[] = {
    {"min_memory_mb", "min_request"}, {"max_memory_mb", "max_request"}, {"preferred_device", "preferred_device"}};
constexpr Name kVariables[] = {{"OPTIMIZATION_INTERVAL", "reclaim.optimization_interval"},
                               {"MEMORY_THRESHOLD", "reclaim.memory_threshold"},
                               {"METRICS_INTERVAL", "sample_interval"}};

YamlNode scalar(Mark mark, std::string text) {
  YamlNode node;
  node.mark = mark;
  node.kind = YamlNode::Kind::scalar;
  node.text = std::move(text);
  return node;
}

// An entry's value in the form that the own key takes.
YamlNode converted(std::string_view own, const YamlNode& value) {
  if (value.kind != YamlNode::Kind::scalar) return value;
  if (own == "min_request" || own == "max_request") return scalar(value.mark, value.text + "MiB");
  if (own != "metrics.listen") return value;
  YamlNode list;
  list.mark = value.mark;
  list.kind = YamlNode::Kind::sequence;
  list.items.push_back(scalar(value.mark, "0.0.0.0:" + value.text));
  return list;
}

// The entries of a documented section under their own names; without those that have no value.
template <std::size_t N>
std::vector<YamlNode::Entry> renamed(const YamlNode& section, const std::string& where, const Name (&names)[N],
                                     Mistakes& mistakes) {
  std::array<std::string_view, N> known;
  std::ranges::transform(names, known.begin(), &Name::documented);
  if (section.kind != YamlNode::Kind::map) {
    mistakes.say(section.mark, "{}: {} is no mapping of {}", where, yaml::shown(section), fmt::join(known, ", "));
    return {};
  }
  std::vector<YamlNode::Entry> result;
  for (const auto& entry : section.entries) {
    const auto name = std::ranges::find(names, entry.key, &Name::documented);
    if (name == std::end(names)) {
      mistakes.say(entry.key_mark, "{}", unknown_key(entry.key, where, known));
    } else if (entry.value.kind != YamlNode::Kind::null) {
      result.push_back({std::string(name->own), entry.key_mark, converted(name->own, entry.value)});
    }
  }
  return result;
}

// ledger.quotas, out of the documented section of services.
YamlNode quotas(const YamlNode& services, Mistakes& mistakes) {
  YamlNode list;
  list.mark = services.mark;
  list.kind = YamlNode::Kind::sequence;
  if (services.kind != YamlNode::Kind::map) {
    mistakes.say(services.mark, "services: {} is no mapping of services", yaml::shown(services));
    return list;
  }
  for (const auto& entry : services.entries) {
    YamlNode quota;
    quota.mark = entry.key_mark;
    quota.kind = YamlNode::Kind::map;
    quota.entries.push_back({"service", entry.key_mark, scalar(entry.key_mark, entry.key)});
    for (auto& each : renamed(entry.value, "services." + entry.key, kService, mistakes)) {
      quota.entries.push_back(std::move(each));
    }
    list.items.push_back(std::move(quota));
  }
  return list;
}

}  // namespace

YamlNode in_own_keys(const YamlNode& root, Mistakes& mistakes) {
  YamlNode result = root;
  result.entries.clear();
  const auto add = [&result](std::vector<YamlNode::Entry> entries) {
    for (auto& each : entries) result.entries.push_back(std::move(each));
  };
  for (const auto& entry : root.entries) {
    const bool documented = entry.key == "optimization" || entry.key == "monitoring" || entry.key == "services";
    if (!documented) {
      result.entries.push_back(entry);
    } else if (entry.value.kind == YamlNode::Kind::null) {
      continue;  // a section of comments alone
    } else if (entry.key == "optimization") {
      add(renamed(entry.value, entry.key, kOptimization, mistakes));
    } else if (entry.key == "monitoring") {
      add(renamed(entry.value, entry.key, kMonitoring, mistakes));
    } else {
      result.entries.push_back({"ledger.quotas", entry.key_mark, quotas(entry.value, mistakes)});
    }
  }
  return result;
}

std::string_view documented_variable(std::string_view key) {
  const auto found = std::ranges::find(kVariables, key, &Name::own);
  return found == std::end(kVariables) ? std::string_view() : found->documented;
}

}  // namespace gpukeeper::config
