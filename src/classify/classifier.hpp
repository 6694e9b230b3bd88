#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "classify/evidence.hpp"
#include "classify/rule.hpp"
#include "core/result.hpp"
#include "device/process_facts.hpp"

namespace gpukeeper {

/// Tells what kind of work a process does, by rules that a person can read and change (docs/classes.md).
///
/// The first rule that matches decides, and the verdict names it. Nothing is a miner by its name alone.
/// Threads: immutable after it is made; any thread may classify.
class Classifier {
 public:
  /// The rules of a text alone. `file` stands in messages and in the rules.
  /// Errors: invalid_argument "file:line:column: what is wrong, and what would be right".
  static Result<Classifier> parse(std::string_view yaml, std::string_view file);

  /// The rules of a user's file, followed by the built-in ones. Errors: as parse; not_found, not_permitted for the
  /// file.
  static Result<Classifier> load(const std::string& path);

  /// The rules that come with the program; read when they are first asked for.
  static const Classifier& built_in();

  /// These rules first, then those of `later`, except for names that stand here already: a rule is replaced by one of
  /// its own name.
  Classifier followed_by(const Classifier& later) const;

  /// Never fails. Without a rule that matches, the class is unknown and the reason says what was looked at.
  /// The reason is one line that is safe to print; of arguments it repeats nothing but a pool's host and port.
  Classification classify(const Evidence& evidence) const;

  const std::vector<classify::Rule>& rules() const { return rules_; }

 private:
  explicit Classifier(std::vector<classify::Rule> rules) : rules_(std::move(rules)) {}

  std::vector<classify::Rule> rules_;
};

namespace classify {

/// The text of the built-in rules (src/classify/rules.yaml).
std::string_view built_in_rules();

}  // namespace classify
}  // namespace gpukeeper
