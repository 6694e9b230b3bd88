#include "config/json_patch.hpp"

#include "format/json_text.hpp"

namespace gpukeeper::config {
namespace {

using yaml::YamlNode;

// As the same value stands in YAML; nothing where it is nested too deep.
std::optional<YamlNode> node_of(const Json& json, std::size_t depth) {
  if (depth > yaml::kMaxYamlDepth) return std::nullopt;
  YamlNode node;
  if (json.is_object()) {
    node.kind = YamlNode::Kind::map;
    for (const auto& [key, value] : json.items()) {
      auto child = node_of(value, depth + 1);
      if (!child) return std::nullopt;
      node.entries.push_back({key, {}, std::move(*child)});
    }
  } else if (json.is_array()) {
    node.kind = YamlNode::Kind::sequence;
    for (const Json& item : json) {
      auto child = node_of(item, depth + 1);
      if (!child) return std::nullopt;
      node.items.push_back(std::move(*child));
    }
  } else if (!json.is_null()) {
    node.kind = YamlNode::Kind::scalar;
    node.text = json.is_string() ? json.get<std::string>() : dump(json, false);
  }
  return node;
}

}  // namespace

Result<std::vector<Assignment>> assignments_of_json(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  const auto root = document.is_object() ? node_of(document, 0) : std::nullopt;
  if (!root) {
    return fail(Errc::invalid_argument, R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})");
  }
  Mistakes mistakes;
  auto result = assignments(*root, mistakes);
  if (mistakes.empty()) return result;
  std::vector<std::string> sentences;
  for (const Mistake& each : mistakes.take()) sentences.push_back(each.text);
  return tl::make_unexpected(refusal(sentences));
}

}  // namespace gpukeeper::config
