#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/bounds.hpp"
#include "config/mistakes.hpp"
#include "config/settings.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper::config {

/// When a change of a key takes effect.
enum class Change {
  live,     ///< at the next tick
  restart,  ///< of gpukeeper serve
};

/// One key of the configuration: everything that is known of it. The file, the environment, the command line, `config`,
/// the JSON Schema and docs/configuration.md are made of these rows.
struct Key {
  std::string_view name;  ///< with dots where it stands in a section: "log.rotate.size"
  Change change = Change::live;
  std::string_view unit;         ///< "°C"; empty for none
  std::string type;              ///< for people: "number"
  std::string range;             ///< for people: "1 to 150"; empty for none
  std::string schema;            ///< of its value, as JSON Schema
  std::optional<Bounds> bounds;  ///< of a plain number
  bool is_list = false;          ///< in the environment and after --set commas separate several
  std::string_view help;         ///< a sentence

  /// Sets the key, or says what is wrong and leaves it.
  std::function<void(Settings&, const yaml::YamlNode&, Mistakes&)> take;
  std::function<std::string(const Settings&)> show;       ///< its value as JSON
  std::function<std::string(const Settings&)> publish{};  ///< the same without secrets, where it may hold any; or empty

  /// As anybody may see it.
  std::string published(const Settings& settings) const { return publish ? publish(settings) : show(settings); }
};

/// All keys, in the order of the documentation.
std::span<const Key> key_table();

/// The key of that name; null when there is none.
const Key* find_key(std::string_view name);

/// "no key 'temp_trottle': did you mean 'temp_throttle'?"
std::string no_such_key(std::string_view name);

/// "GPUKEEPER_TEMP_THROTTLE" for temp_throttle, "GPUKEEPER_LOG_LEVEL" for log.level.
std::string environment_name(const Key& key);

/// Everything that is wrong with the settings as a whole, a sentence each that begins with the key.
std::vector<std::string> check(const Settings& settings);

}  // namespace gpukeeper::config
