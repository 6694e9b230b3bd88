#include "classify/classifier.hpp"

#include <algorithm>
#include <stdexcept>

#include "classify/match.hpp"
#include "classify/rule_file.hpp"
#include "core/files.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper {

using namespace classify;

Result<Classifier> Classifier::parse(std::string_view yaml, std::string_view file) {
  auto rules = parse_rules(yaml, file);
  if (!rules) return tl::make_unexpected(rules.error());
  return Classifier(*std::move(rules));
}

Result<Classifier> Classifier::load(const std::string& path) {
  const auto text = read_file(path, yaml::kMaxYamlBytes);
  if (!text) return tl::make_unexpected(text.error());
  const auto own = parse(*text, path);
  if (!own) return own;
  return own->followed_by(built_in());
}

const Classifier& Classifier::built_in() {
  static const Classifier classifier = [] {
    auto parsed = parse(built_in_rules(), "built-in");
    if (!parsed) throw std::logic_error(parsed.error().message);  // a mistake of ours, which a test would have found
    return *std::move(parsed);
  }();
  return classifier;
}

Classifier Classifier::followed_by(const Classifier& later) const {
  std::vector<Rule> rules = rules_;
  for (const Rule& rule : later.rules_) {
    if (std::ranges::find(rules_, rule.name, &Rule::name) == rules_.end()) rules.push_back(rule);
  }
  return Classifier(std::move(rules));
}

Classification Classifier::classify(const Evidence& evidence) const {
  const Observed observed = observe(evidence);
  for (const Rule& rule : rules_) {
    if (const auto why = match(rule, observed)) {
      return {rule.kind, rule.name, reason(rule, *why, observed), rule.confidence};
    }
  }
  return {ProcessClass::unknown, "", no_reason(observed), 0};
}

}  // namespace gpukeeper
