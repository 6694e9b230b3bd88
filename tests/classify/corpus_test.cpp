// Realistic command lines against the built-in rules: tests/classify/corpus.yaml.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "classify/classifier.hpp"
#include "core/display_text.hpp"
#include "yaml/tree.hpp"
#include "yaml/values.hpp"

namespace gpukeeper {
namespace {

struct Case {
  std::string line;
  std::vector<std::string> words;
  std::string executable;
  std::string command;
  ProcessType type;
  std::optional<std::chrono::seconds> busy_for;
  std::string kind;
  std::string rule;

  Evidence evidence() const { return {command, executable, {words.begin(), words.end()}, type, busy_for}; }
};

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  EXPECT_FALSE(quoted) << line;
  return words;
}

// Where the shell would have found the program: scripts are run by their interpreter, Python's is python3.11.
// A title of Chromium goes on with options.
std::string executable_of(std::string first) {
  first = first.substr(0, first.find(" --"));
  const auto base = first.substr(first.rfind('/') + 1);
  if (base.starts_with("python")) return "/usr/bin/python3.11";
  return first.starts_with('/') ? first : "/usr/bin/" + base;
}

std::string text_at(const yaml::YamlNode& group, std::string_view key) {
  const auto* node = group.find(key);
  return node ? node->text : "";
}

Case case_of(const yaml::YamlNode& group, const std::string& line) {
  Case one{.line = line, .words = words_of(line)};
  one.kind = text_at(group, "class");
  one.rule = text_at(group, "rule") == "none" ? "" : text_at(group, "rule");
  one.executable = group.find("executable") ? text_at(group, "executable") : executable_of(one.words.front());
  const auto name = one.executable.substr(one.executable.rfind('/') + 1);
  one.command = group.find("command") ? text_at(group, "command") : name.substr(0, name.find(" (deleted)"));
  one.command = one.command.substr(0, 15);
  one.type = {.compute = text_at(group, "type") == "compute", .graphics = text_at(group, "type") == "graphics"};
  if (const auto* busy = group.find("busy_for")) {
    one.busy_for = std::chrono::seconds(static_cast<int>(yaml::duration(*busy, "busy_for")));
  }
  return one;
}

std::vector<Case> corpus() {
  const auto* const path = GPUKEEPER_SOURCE_DIR "/tests/classify/corpus.yaml";
  std::ifstream in(path);
  std::ostringstream content;
  content << in.rdbuf();
  const auto root = yaml::parse_yaml(content.str(), path);
  EXPECT_TRUE(root) << root.error().message;
  std::vector<Case> result;
  for (const auto& group : root->items) {
    yaml::check_keys(
        group, "a group",
        std::initializer_list<std::string_view>{"class", "rule", "type", "busy_for", "executable", "command", "runs"});
    for (const auto& line : group.find("runs")->items) result.push_back(case_of(group, line.text));
  }
  return result;
}

TEST(CorpusTest, EveryCommandLineIsTakenForWhatItIsByTheRuleThatSaysSo) {
  const auto cases = corpus();
  EXPECT_GE(cases.size(), 150u);
  for (const Case& one : cases) {
    const auto verdict = Classifier::built_in().classify(one.evidence());
    EXPECT_EQ(std::string(to_string(verdict.kind)) + " by " + verdict.rule, one.kind + " by " + one.rule)
        << one.line << "\n  because " << verdict.reason;
    EXPECT_EQ(verdict.reason, harmless(verdict.reason));
    EXPECT_FALSE(verdict.reason.empty());
  }
}

TEST(CorpusTest, EveryBuiltInRuleDecidesForOneOfThem) {
  std::set<std::string> used;
  for (const Case& one : corpus()) used.insert(one.rule);
  for (const auto& rule : Classifier::built_in().rules()) {
    EXPECT_TRUE(used.contains(rule.name)) << rule.name << " stands in no case of corpus.yaml";
  }
}

// What another user runs shows its short name alone, and that accuses nobody.
TEST(CorpusTest, NothingIsAMinerByItsShortName) {
  for (const Case& one : corpus()) {
    for (const auto busy : {std::optional<std::chrono::seconds>(), one.busy_for}) {
      if (busy && one.kind == "mining") continue;  // a miner's name and a long load: that is one
      const auto verdict =
          Classifier::built_in().classify({.command = one.command, .type = one.type, .busy_for = busy});
      EXPECT_NE(verdict.kind, ProcessClass::mining) << one.command;
    }
  }
}

TEST(CorpusTest, NoVerdictRepeatsAWallet) {
  for (const Case& one : corpus()) {
    const auto reason = Classifier::built_in().classify(one.evidence()).reason;
    for (const auto* secret : {"47xZ", "0x1234", "RXaBc", "account"}) {
      EXPECT_EQ(reason.find(secret), std::string::npos) << reason;
    }
  }
}

}  // namespace
}  // namespace gpukeeper
