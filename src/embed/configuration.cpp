#include "embed/configuration.hpp"

#include <utility>

#include <unistd.h>

namespace gpukeeper::embed {
namespace {

yaml::YamlNode scalar(const std::string& text) {
  yaml::YamlNode node;
  node.kind = yaml::YamlNode::Kind::scalar;
  node.text = text;
  return node;
}

// As it was given: a comma or a bracket in it is a part of it.
yaml::YamlNode list_of_one(const std::string& text) {
  yaml::YamlNode node;
  node.kind = yaml::YamlNode::Kind::sequence;
  node.items.push_back(scalar(text));
  return node;
}

}  // namespace

Result<config::LiveConfig> open_configuration(const KeeperOptions& options) {
  config::Sources sources;
  sources.environment = options.environment;
  sources.path = options.config.empty() ? options.environment("GPUKEEPER_CONFIG").value_or("") : options.config;
  if (sources.path.empty()) {
    sources.path = config::usual_file(options.environment, ::geteuid() == 0).path;
    sources.must_be_there = false;
  }
  if (!options.source.empty()) {
    sources.command_line.push_back({"source", list_of_one(options.source), "gk_options.source"});
  }
  if (!options.state_dir.empty()) {
    sources.command_line.push_back({"state_dir", scalar(options.state_dir), "gk_options.state_dir"});
  }
  return config::LiveConfig::open(std::move(sources));
}

}  // namespace gpukeeper::embed
