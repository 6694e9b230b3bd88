#include "cli/config_sources.hpp"

#include <unistd.h>

namespace gpukeeper::cli {
namespace {

yaml::YamlNode scalar(const std::string& text) {
  yaml::YamlNode node;
  node.kind = yaml::YamlNode::Kind::scalar;
  node.text = text;
  return node;
}

// As it was given: a comma or a bracket in a value of an option is a part of it.
config::Assignment assignment(const KeyOption& given) {
  config::Assignment result{
      .key = std::string(given.key), .value = scalar(given.values.back()), .place = std::string(given.option)};
  if (!config::find_key(given.key)->is_list) return result;
  result.value = {};
  result.value.kind = yaml::YamlNode::Kind::sequence;
  for (const std::string& value : given.values) result.value.items.push_back(scalar(value));
  return result;
}

}  // namespace

Result<config::Sources> config_sources(const ConfigArguments& arguments, const Environment& environment) {
  config::Sources sources;
  sources.environment = environment;
  sources.path = arguments.file.empty() ? environment("GPUKEEPER_CONFIG").value_or("") : arguments.file;
  if (sources.path.empty()) {
    sources.path = config::usual_file(environment, ::geteuid() == 0).path;
    sources.must_be_there = false;
  }
  for (const KeyOption& each : arguments.options) {
    if (!each.values.empty()) sources.command_line.push_back(assignment(each));
  }
  for (const std::string& text : arguments.set) {
    auto each = config::parse_assignment(text, "--set");
    if (!each) return tl::make_unexpected(each.error());
    sources.command_line.push_back(std::move(*each));
  }
  return sources;
}

}  // namespace gpukeeper::cli
