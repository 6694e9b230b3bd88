#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/key_table.hpp"
#include "config/settings.hpp"
#include "core/result.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper::config {

/// Where values come from. Each stands above those before it.
enum class Layer { standard, file, environment, command_line, request };

std::string_view to_string(Layer layer);

/// Who set a key.
struct Origin {
  Layer layer = Layer::standard;
  std::string place;  ///< "/etc/gpukeeper/gpukeeper.yaml:3:15", "GPUKEEPER_TEMP_THROTTLE", "--set"; may be empty
};

/// One key and what it is to be.
struct Assignment {
  std::string key;  ///< of the table
  yaml::YamlNode value;
  std::string place;  ///< as in Origin
};

/// "KEY=VALUE" as --set and `config set` take it. In lists commas separate; a value that begins with [ or { is YAML.
/// Errors: invalid_argument when it is not of that form, when there is no such key, or when the YAML is none.
Result<Assignment> parse_assignment(std::string_view text, std::string_view place);

/// A value of that key out of a text, as above.
Result<Assignment> assignment(const Key& key, std::string_view text, std::string_view place);

/// One file or JSON document, cut into keys; documented sections (config/documented.hpp) count as the keys they mean.
/// What is unknown or no mapping becomes a mistake, with what was likely meant.
std::vector<Assignment> assignments(const yaml::YamlNode& root, Mistakes& mistakes);

/// A configuration file, as it was read.
struct File {
  std::string name;  ///< as messages name it
  std::string text;
};

using Variable = std::function<std::optional<std::string>(std::string_view)>;

/// Everything that settings are made of.
struct Inputs {
  std::optional<File> file;
  Variable environment = [](std::string_view) { return std::nullopt; };
  std::vector<Assignment> command_line;
  std::vector<Assignment> requests;  ///< at run time
};

/// The settings, and who set what is not as it is by itself.
struct Effective {
  Settings settings;
  std::map<std::string, Origin, std::less<>> origins;

  /// Of a key that nobody set: the standard.
  Origin origin(std::string_view key) const;
};

/// All layers on top of each other, judged as a whole: it is all taken or nothing.
/// Errors: invalid_argument with everything that is wrong, a line each: where it stands, the key, the value, and what
/// would be right.
Result<Effective> effective(const Inputs& inputs);

}  // namespace gpukeeper::config
