#include "config/effective.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/codec.hpp"
#include "config/documented.hpp"
#include "config/documented_environment.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::config {

using yaml::YamlNode;

namespace {

// What would do is found by trying: not for each of thousands, and not with thousands of devices to judge each time.
constexpr double kMostSteps = 1000;
constexpr std::size_t kMostHints = 8;
constexpr std::size_t kMostDevicesTried = 32;
constexpr std::size_t kMostSentences = 50;

YamlNode scalar_node(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = text;
  return node;
}

YamlNode list_node(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  for (const auto piece : split(text, ',')) {
    if (!trim(piece).empty()) node.items.push_back(scalar_node(trim(piece)));
  }
  return node;
}

// The names that may stand in a section; "" is the whole configuration.
std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : key_table()) {
    std::string_view rest = key.name;
    if (!section.empty()) {
      if (!rest.starts_with(section) || !rest.substr(section.size()).starts_with('.')) continue;
      rest.remove_prefix(section.size() + 1);
    }
    const auto name = rest.substr(0, rest.find('.'));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

void cut(const YamlNode& node, const std::string& section, std::vector<Assignment>& result, Mistakes& mistakes) {
  const auto known = names_in(section);
  for (const YamlNode::Entry& entry : node.entries) {
    const std::string name = section.empty() ? entry.key : section + "." + entry.key;
    if (find_key(name)) {
      result.push_back({.key = name, .value = entry.value, .place = {}});
      if (entry.value.kind == YamlNode::Kind::null) result.back().value.mark = entry.key_mark;  // nothing is nowhere
    } else if (names_in(name).empty()) {
      mistakes.say(entry.key_mark, "{}", unknown_key(entry.key, section, known));
    } else if (entry.value.kind != YamlNode::Kind::map) {
      mistakes.say(entry.value.mark, "{}: {} is no mapping of {}", name, yaml::shown(entry.value),
                   fmt::join(names_in(name), ", "));
    } else {
      cut(entry.value, name, result, mistakes);
    }
  }
}

// The words of a sentence that are keys, or begin with one: "devices[0].temp_normal" speaks of devices.
std::vector<std::string_view> keys_in(std::string_view sentence) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_.";
  std::vector<std::string_view> keys;
  while (!sentence.empty()) {
    const auto length = std::min(sentence.find_first_not_of(kLetters), sentence.size());
    std::string_view word = sentence.substr(0, length);
    while (!word.empty() && !find_key(word)) word = word.substr(0, word.rfind('.') == word.npos ? 0 : word.rfind('.'));
    if (!word.empty()) keys.push_back(find_key(word)->name);
    sentence.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return keys;
}

bool speaks_of(std::string_view sentence, std::string_view key) {
  const auto keys = keys_in(sentence);
  return std::ranges::find(keys, key) != keys.end();
}

// What a number may be while all else is as it is: "temp_throttle may be 78 to 90 as things stand"; empty when nothing
// helps.
std::string what_would_do(const Settings& settings, const Key& key) {
  if (!key.bounds || key.bounds->most - key.bounds->least > kMostSteps) return {};
  if (settings.engine.governor.devices.size() > kMostDevicesTried) return {};
  std::optional<double> first;
  double last = 0;
  for (double value = key.bounds->least; value <= key.bounds->most; ++value) {
    Settings tried = settings;
    Mistakes mistakes;
    key.take(tried, scalar_node(number_text(value)), mistakes);
    const auto wrong = check(tried);
    if (std::ranges::any_of(wrong, [&](const auto& sentence) { return speaks_of(sentence, key.name); })) continue;
    if (!first) first = value;
    last = value;
  }
  if (!first) return {};
  return fmt::format("; as things stand {} may be {} to {}", key.name, number_text(*first), number_text(last));
}

// Puts the layers on top of each other and notes what is wrong.
class Builder {
 public:
  void add_file(const File& file) {
    const auto root = yaml::parse_yaml(file.text, file.name);
    if (!root) return wrong_.push_back(root.error().message);
    if (root->kind == YamlNode::Kind::null) return;  // an empty file is all defaults
    Mistakes mistakes;
    if (root->kind != YamlNode::Kind::map) {
      mistakes.say(root->mark, "the configuration must be a mapping such as 'temp_throttle: 85', not {}",
                   yaml::shown(*root));
    }
    for (Assignment& each : assignments(*root, mistakes)) {
      each.place = at(file.name, each.value.mark);
      add(each, Layer::file, mistakes);
    }
    for (const Mistake& each : mistakes.take()) wrong_.push_back(at(file.name, each.mark) + ": " + each.text);
  }

  void add_environment(const Variable& environment) {
    for (const DocumentedSetting& each : documented_settings(environment)) {
      add_variable(*find_key(each.key), each.variable, each.text);
    }
    for (const Key& key : key_table()) {
      std::string name = environment_name(key);
      std::string text = environment(name).value_or("");
      if (const auto documented = documented_variable(key.name); trim(text).empty() && !documented.empty()) {
        name = documented;
        text = environment(name).value_or("");
      }
      if (!trim(text).empty()) add_variable(key, name, text);
    }
  }

  void add_all(std::span<const Assignment> assigned, Layer layer) {
    for (const Assignment& each : assigned) {
      Mistakes mistakes;
      add(each, layer, mistakes);
      for (const Mistake& mistake : mistakes.take()) wrong_.push_back(placed(each.place, mistake.text));
    }
  }

  Result<Effective> take() {
    for (const std::string& sentence : check(result_.settings)) note(sentence);
    if (!wrong_.empty()) return tl::make_unexpected(refusal(wrong_));
    return std::move(result_);
  }

 private:
  void add_variable(const Key& key, std::string_view name, std::string_view text) {
    const auto assigned = assignment(key, text, name);
    if (assigned) {
      add_all({&*assigned, 1}, Layer::environment);
    } else {
      wrong_.push_back(assigned.error().message);
    }
  }

  static std::string at(std::string_view file, yaml::Mark mark) {
    return fmt::format("{}:{}:{}", file, mark.line, mark.column);
  }
  static std::string placed(const std::string& place, const std::string& text) {
    return place.empty() ? text : place + ": " + text;
  }

  void add(const Assignment& assigned, Layer layer, Mistakes& mistakes) {
    const Key* key = find_key(assigned.key);
    const std::size_t before = mistakes.size();
    key->take(result_.settings, assigned.value, mistakes);
    if (mistakes.size() > before) {
      refused_.insert(key->name);
    } else {
      result_.origins[assigned.key] = {layer, assigned.place};
    }
  }

  // A sentence on the whole. Of the keys that it speaks of, the one that was set last is the one to change.
  void note(const std::string& sentence) {
    const Key* set_last = nullptr;
    Origin origin;
    for (const std::string_view name : keys_in(sentence)) {
      if (refused_.contains(name)) return;  // it may be wrong only because another value is
      const auto found = result_.origins.find(name);
      if (found == result_.origins.end() || found->second.layer <= origin.layer) continue;
      origin = found->second;
      set_last = find_key(name);
    }
    std::string hint;
    if (set_last && hints_++ < kMostHints) hint = what_would_do(result_.settings, *set_last);
    wrong_.push_back(placed(origin.place, sentence) + hint);
  }

  Effective result_;
  std::set<std::string_view> refused_;  // keys with a value that was not taken
  std::vector<std::string> wrong_;
  std::size_t hints_ = 0;
};

}  // namespace

Error refusal(const std::vector<std::string>& sentences) {
  if (sentences.size() == 1) return {Errc::invalid_argument, harmless(sentences.front())};
  std::string text = fmt::format("{} mistakes in the configuration:", sentences.size());
  const std::size_t shown = std::min(sentences.size(), kMostSentences);
  for (std::size_t i = 0; i < shown; ++i) text += "\n  " + harmless(sentences[i]);
  if (shown < sentences.size()) text += fmt::format("\n  and {} more", sentences.size() - shown);
  return {Errc::invalid_argument, std::move(text)};
}

std::string_view to_string(Layer layer) {
  switch (layer) {
    case Layer::standard: return "default";
    case Layer::file: return "file";
    case Layer::environment: return "environment";
    case Layer::command_line: return "command line";
    case Layer::request: return "request";
  }
  return "default";
}

Result<Assignment> assignment(const Key& key, std::string_view text, std::string_view place) {
  Assignment result{.key = std::string(key.name), .value = {}, .place = std::string(place)};
  const auto begin = trim(text);
  if (begin.starts_with('[') || begin.starts_with('{')) {
    auto node = yaml::parse_yaml(begin, place.empty() ? key.name : place);
    if (!node) return tl::make_unexpected(node.error());
    result.value = std::move(*node);
  } else {
    result.value = key.is_list ? list_node(text) : scalar_node(begin);
  }
  return result;
}

Result<Assignment> parse_assignment(std::string_view text, std::string_view place) {
  const auto equals = text.find('=');
  const std::string before = place.empty() ? "" : std::string(place) + ": ";
  if (equals == text.npos || equals == 0) {
    return fail(Errc::invalid_argument,
                fmt::format("{}'{}' is not KEY=VALUE, such as temp_throttle=85", before, harmless(text)));
  }
  const auto name = trim(text.substr(0, equals));
  const Key* key = find_key(name);
  if (!key) return fail(Errc::invalid_argument, before + harmless(no_such_key(name)));
  return assignment(*key, text.substr(equals + 1), place);
}

std::vector<Assignment> assignments(const YamlNode& root, Mistakes& mistakes) {
  std::vector<Assignment> result;
  cut(in_own_keys(root, mistakes), "", result, mistakes);
  return result;
}

Origin Effective::origin(std::string_view key) const {
  const auto found = origins.find(key);
  return found == origins.end() ? Origin() : found->second;
}

Result<Effective> effective(const Inputs& inputs) {
  Builder builder;
  if (inputs.file) builder.add_file(*inputs.file);
  builder.add_environment(inputs.environment);
  builder.add_all(inputs.command_line, Layer::command_line);
  builder.add_all(inputs.requests, Layer::request);
  return builder.take();
}

}  // namespace gpukeeper::config
