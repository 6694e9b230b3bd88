#include "classify/rule_file.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "classify/classifier.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

std::string error_of(std::string_view yaml) {
  const auto parsed = Classifier::parse(yaml, "my.yaml");
  return parsed ? "no error" : parsed.error().message;
}

// A file of one rule that is right but for what `line` says; the line is the file's fourth.
std::string with(std::string_view line) {
  return "rules:\n  - name: a\n    class: ml\n    " + std::string(line) + "\n";
}

TEST(RuleFileTest, MistakesAreRefusedWithTheirPlaceAndWhatWouldBeRight) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "my.yaml:1:1: a rule file must be a mapping such as 'rules: […]', not nothing"},
      {"rule: []", "my.yaml:1:1: unknown key 'rule' in a rule file: did you mean 'rules'?"},
      {"{}",
       "my.yaml:1:1: a rule file needs 'rules', such as 'rules: [{name: my-trainer, class: ml_training, program: "
       "my-trainer}]'"},
      {"rules: xmrig", "my.yaml:1:8: 'rules' must be a list, not 'xmrig'"},
      {"rules: [xmrig]",
       "my.yaml:1:9: a rule must be a mapping such as {name: my-trainer, class: ml_training, program: my-trainer}, not "
       "'xmrig'"},
      {"rules: [{class: ml, program: a}]", "my.yaml:1:9: a rule needs 'name', such as 'name: my-trainer'"},
      {"rules: [{name: a, program: a}]", "my.yaml:1:9: a rule needs 'class', such as 'class: ml_training'"},
      {"rules: [{name: My Rule, class: ml, program: a}]",
       "my.yaml:1:16: a rule's 'name' is at most 40 of a-z, 0-9 and '-', such as miner-with-pool, not 'My Rule'"},
      {"rules: [{name: a, class: training, program: a}]",
       "my.yaml:1:26: 'class' must be one of mining, ml_training, ml_inference, ml, video, gaming, desktop, unknown, "
       "not "
       "'training'"},
      {"rules:\n  - {name: a, class: ml, program: a}\n  - {name: a, class: ml, program: b}",
       "my.yaml:3:5: there are two rules 'a': the first is in line 2"},
      {"rules: [{name: a, class: ml}]",
       "my.yaml:1:9: rule 'a' would match every process: give it a 'program', 'path', 'arguments' or another "
       "condition"},
      {"rules: [{name: a, class: ml, unless: {program: b}}]",
       "my.yaml:1:9: rule 'a' would match every process: give it a 'program', 'path', 'arguments' or another "
       "condition"},
      {with("programm: a"), "my.yaml:4:5: unknown key 'programm' in a rule: did you mean 'program'?"},
      {with("program: {a: b}"), "my.yaml:4:14: 'program' must be words with blanks between, or a list, not a mapping"},
      {with("program: []"), "my.yaml:4:14: 'program' must not be empty"},
      {with("program: \"**\""),
       "my.yaml:4:14: '**' in 'program' would match everything: it needs a character to look for"},
      {with("program: <train"), "my.yaml:4:14: a word in 'program' is written <word>, not '<train'"},
      {with("program: " + std::string(201, 'a')),
       "my.yaml:4:14: a pattern in 'program' must have at most 200 characters"},
      {with("interpreter: pyton"), "my.yaml:4:18: there is no interpreter 'pyton': did you mean 'python'?"},
      {with("type: video"), "my.yaml:4:11: 'type' must be one of compute, graphics, not 'video'"},
      {with("needs: pool luck"), "my.yaml:4:12: 'needs' must be one of pool, stratum, wallet, not 'luck'"},
      {with("busy_for: long"), "my.yaml:4:15: 'busy_for' must be a duration such as 90s, 5m or 1h30m, not 'long'"},
      {with("busy_for: 0s"), "my.yaml:4:15: 'busy_for' must be longer than nothing"},
      {with("confidence: 80"), "my.yaml:4:17: 'confidence' must be from 0 to 1, not '80'"},
      {with("confidence: high"), "my.yaml:4:17: 'confidence' must be from 0 to 1, not 'high'"},
      {with("note: \"a\\nb\""), "my.yaml:4:11: 'note' must be one line without control characters"},
      {with("note: " + std::string(201, 'a')), "my.yaml:4:11: 'note' must have at most 200 bytes"},
      {with("program: a\n    unless: b"),
       "my.yaml:5:13: 'unless' must be a mapping such as {program: my-tool}, not 'b'"},
      {with("program: a\n    unless: {class: ml}"),
       "my.yaml:5:14: unknown key 'class' in 'unless': known are: program, interpreter, path, arguments, type, needs, "
       "busy_for"},
      {with("program: [a"), "my.yaml:5:1: not YAML: end of sequence flow not found"},
  };
  for (const auto& [yaml, message] : cases) EXPECT_EQ(error_of(yaml), message) << yaml;
}

TEST(RuleFileTest, ThousandRulesAreTheMost) {
  std::string yaml = "rules:\n";
  for (int i = 0; i < 1001; ++i) yaml += "- {name: a" + std::to_string(i) + ", class: ml, program: a}\n";
  EXPECT_EQ(error_of(yaml), "my.yaml:1002:3: too many rules: 1000 are the most");
}

TEST(RuleFileTest, UsersRulesComeFirstAndReplaceBuiltInOnesOfTheirName) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "rules.yaml";
  std::ofstream(path) << "rules:\n"
                         "  - {name: our-trainer, class: ml_training, program: xmrig}\n"
                         "  - {name: python-compute, class: unknown, program: our-job}\n";
  const auto classifier = Classifier::load(path);
  ASSERT_TRUE(classifier) << classifier.error().message;
  EXPECT_EQ(classifier->rules().size(), Classifier::built_in().rules().size() + 1);
  EXPECT_EQ(classifier->rules()[0].file, path);
  EXPECT_EQ(classifier->rules()[2].file, "built-in");
  EXPECT_EQ(classifier->classify({.executable = "/usr/bin/xmrig"}).rule, "our-trainer");
  EXPECT_EQ(classifier->classify({.executable = "/usr/bin/ffmpeg"}).rule, "transcoder");
  EXPECT_EQ(classifier->classify({.executable = "/usr/bin/python3", .type = {.compute = true}}).rule, "");
}

TEST(RuleFileTest, FileThatCannotBeReadIsAnError) {
  const auto classifier = Classifier::load("/no/such/rules.yaml");
  ASSERT_FALSE(classifier);
  EXPECT_EQ(classifier.error().code, Errc::not_found);
  EXPECT_EQ(classifier.error().message, "open /no/such/rules.yaml: No such file or directory");
}

TEST(RuleFileTest, WithoutARuleThatMatchesTheReasonSaysWhatWasLookedAt) {
  const auto classifier = *Classifier::parse("rules: [{name: a, class: ml, program: a}]", "x");
  EXPECT_EQ(classifier.classify({}).reason, "no rule matches: neither its executable nor its arguments are known");
  EXPECT_EQ(classifier.classify({.executable = "/bin/bash", .arguments = {"bash", "-c", "sleep 5"}}).reason,
            "no rule matches: shell runs code without a name");
  EXPECT_EQ(classifier.classify({.executable = "/bin/b\x1b[31m"}).reason,
            "no rule matches: the executable is 'b?[31m'");
}

}  // namespace
}  // namespace gpukeeper
