#include "classify/rule_file.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "classify/interpreter.hpp"
#include "core/text.hpp"
#include "yaml/tree.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::classify {

using namespace yaml;
namespace {

constexpr std::size_t kMostRules = 1000;  // all of them are tried for a process that none knows
constexpr double kUsualConfidence = 0.8;

constexpr std::string_view kFileKeys[] = {"rules"};
constexpr std::string_view kRuleKeys[] = {"name", "class",     "confidence", "note",  "program",  "interpreter",
                                          "path", "arguments", "type",       "needs", "busy_for", "unless"};
constexpr std::string_view kUnlessKeys[] = {"program", "interpreter", "path", "arguments", "type", "needs", "busy_for"};

constexpr std::pair<std::string_view, ProcessClass> kClasses[] = {{"mining", ProcessClass::mining},
                                                                  {"ml_training", ProcessClass::ml_training},
                                                                  {"ml_inference", ProcessClass::ml_inference},
                                                                  {"ml", ProcessClass::ml},
                                                                  {"video", ProcessClass::video},
                                                                  {"gaming", ProcessClass::gaming},
                                                                  {"desktop", ProcessClass::desktop},
                                                                  {"unknown", ProcessClass::unknown}};
constexpr std::pair<std::string_view, Use> kUses[] = {{"compute", Use::compute}, {"graphics", Use::graphics}};
constexpr std::pair<std::string_view, Need> kNeeds[] = {
    {"pool", Need::pool}, {"stratum", Need::stratum}, {"wallet", Need::wallet}};

// The nodes of a list, or the words of one text as such nodes: `program: xmrig t-rex` is short for a list of the two.
std::vector<YamlNode> entries(const YamlNode& node, std::string_view what) {
  std::vector<YamlNode> result;
  if (node.kind == YamlNode::Kind::sequence) {
    result = node.items;
  } else {
    const auto words = scalar(node, what, "words with blanks between, or a list");
    for (const auto word : split(words, ' ')) {
      if (!word.empty()) result.push_back({.mark = node.mark, .kind = node.kind, .text = std::string(word)});
    }
  }
  if (result.empty()) refuse(node.mark, "'{}' must not be empty", what);
  return result;
}

void check_pattern(const YamlNode& node, std::string_view what, std::string_view pattern) {
  constexpr std::size_t kLongest = 200;
  if (pattern.size() > kLongest) refuse(node.mark, "a pattern in '{}' must have at most {} characters", what, kLongest);
  if (pattern.find_first_not_of("*?<> ") == std::string_view::npos) {
    refuse(node.mark, "'{}' in '{}' would match everything: it needs a character to look for", pattern, what);
  }
  if (pattern.starts_with('<') != pattern.ends_with('>')) {
    refuse(node.mark, "a word in '{}' is written <word>, not '{}'", what, pattern);
  }
}

std::vector<std::string> patterns(const YamlNode& node, std::string_view what) {
  std::vector<std::string> result;
  for (const YamlNode& each : entries(node, what)) {
    result.push_back(text(each, what));
    check_pattern(each, what, result.back());
  }
  return result;
}

std::vector<std::string> families(const YamlNode& node, std::string_view what) {
  std::vector<std::string_view> known;
  for (const Interpreter& each : interpreters()) known.push_back(each.family);
  std::vector<std::string> result;
  for (const YamlNode& each : entries(node, what)) {
    result.push_back(text(each, what));
    if (std::ranges::find(known, result.back()) == known.end()) {
      refuse(each.mark, "there is no interpreter {}: {}", shown(each), suggestion(result.back(), known));
    }
  }
  return result;
}

Conditions conditions(const YamlNode& map) {
  Conditions result;
  if (const auto* node = map.find("program")) result.program = NamePatterns(patterns(*node, "program"));
  if (const auto* node = map.find("interpreter")) result.interpreters = families(*node, "interpreter");
  if (const auto* node = map.find("path")) result.path = PathPatterns(patterns(*node, "path"));
  if (const auto* node = map.find("arguments")) result.arguments = ArgumentPatterns(patterns(*node, "arguments"));
  if (const auto* node = map.find("type")) result.type = choice(*node, "type", kUses);
  if (const auto* node = map.find("needs")) {
    for (const YamlNode& each : entries(*node, "needs")) result.needs.push_back(choice(each, "needs", kNeeds));
  }
  if (const auto* node = map.find("busy_for")) {
    result.busy_for = std::chrono::seconds(std::llround(std::ceil(positive_duration(*node, "busy_for"))));
  }
  return result;
}

std::string rule_name(const YamlNode& node) {
  constexpr std::size_t kLongest = 40;
  std::string name = text(node, "name");
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (name.size() > kLongest || !std::ranges::all_of(name, allowed)) {
    refuse(node.mark, "a rule's 'name' is at most {} of a-z, 0-9 and '-', such as miner-with-pool, not {}", kLongest,
           shown(node));
  }
  return name;
}

double confidence(const YamlNode& node) {
  const auto value = parse_double(scalar(node, "confidence", "a number from 0 to 1"));
  if (!value || *value < 0 || *value > 1) refuse(node.mark, "'confidence' must be from 0 to 1, not {}", shown(node));
  return *value;
}

std::string note(const YamlNode& node) {
  constexpr std::size_t kLongest = 200;
  std::string result = text(node, "note");
  if (result.size() > kLongest) refuse(node.mark, "'note' must have at most {} bytes", kLongest);
  return result;
}

Rule read_rule(const YamlNode& node, std::string_view file) {
  const YamlNode& map = mapping(node, "a rule", "{name: my-trainer, class: ml_training, program: my-trainer}");
  check_keys(map, "a rule", kRuleKeys);
  Rule rule;
  rule.name = rule_name(required(map, "a rule", "name", "my-trainer"));
  rule.file = file;
  rule.kind = choice(required(map, "a rule", "class", "ml_training"), "class", kClasses);
  rule.confidence = rule.kind == ProcessClass::unknown ? 0 : kUsualConfidence;
  if (const YamlNode* value = map.find("confidence")) rule.confidence = confidence(*value);
  if (const YamlNode* value = map.find("note")) rule.note = note(*value);
  rule.when = conditions(map);
  if (rule.when.empty()) {
    refuse(map.mark,
           "rule '{}' would match every process: give it a 'program', 'path', 'arguments' or another condition",
           rule.name);
  }
  if (const YamlNode* unless = map.find("unless")) {
    mapping(*unless, "'unless'", "{program: my-tool}");
    check_keys(*unless, "'unless'", kUnlessKeys);
    rule.unless = conditions(*unless);
  }
  return rule;
}

std::vector<Rule> read_rules(const YamlNode& root, std::string_view file) {
  constexpr std::string_view kExample = "[{name: my-trainer, class: ml_training, program: my-trainer}]";
  mapping(root, "a rule file", "'rules: […]'");
  check_keys(root, "a rule file", kFileKeys);
  const YamlNode& rules = required(root, "a rule file", "rules", kExample);
  std::vector<Rule> result;
  std::map<std::string, int> seen;
  for (const YamlNode& node : list(rules, "rules")) {
    if (result.size() == kMostRules) refuse(node.mark, "too many rules: {} are the most", kMostRules);
    result.push_back(read_rule(node, file));
    const auto [first, added] = seen.try_emplace(result.back().name, node.mark.line);
    if (!added) refuse(node.mark, "there are two rules '{}': the first is in line {}", first->first, first->second);
  }
  return result;
}

}  // namespace

Result<std::vector<Rule>> parse_rules(std::string_view yaml, std::string_view file) {
  const auto root = parse_yaml(yaml, file);
  if (!root) return tl::make_unexpected(root.error());
  try {
    return read_rules(*root, file);
  } catch (const Refused& refused) {
    return tl::make_unexpected(refusal(file, refused.mark, refused.message));
  }
}

std::vector<std::string_view> rule_file_keys() {
  std::vector<std::string_view> keys(std::begin(kFileKeys), std::end(kFileKeys));
  keys.insert(keys.end(), std::begin(kRuleKeys), std::end(kRuleKeys));
  return keys;
}

}  // namespace gpukeeper::classify
