// docs/classes.md and examples/rules against the parser.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "classify/classifier.hpp"
#include "classify/interpreter.hpp"
#include "classify/rule_file.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

struct Page {
  std::vector<std::string> blocks;  // what stands in ```yaml
  std::string shown;                // all of them
  std::string prose;                // all else
};

Page read_page() {
  const std::string text = slurp(GPUKEEPER_SOURCE_DIR "/docs/classes.md");
  Page page;
  bool inside = false;
  for (const auto line : lines(text)) {
    if (inside && line == "```") {
      page.shown += page.blocks.back();
      inside = false;
    } else if (inside) {
      page.blocks.back().append(line) += '\n';
    } else if (line == "```yaml") {
      page.blocks.emplace_back();
      inside = true;
    } else {
      page.prose.append(line) += '\n';
    }
  }
  return page;
}

bool contains(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

TEST(RuleDocumentationTest, EveryYamlBlockIsARuleFile) {
  const Page page = read_page();
  EXPECT_GE(page.blocks.size(), 4u);
  for (const auto& block : page.blocks) {
    const auto parsed = Classifier::parse(block, "docs/classes.md");
    EXPECT_TRUE(parsed) << parsed.error().message << "\n" << block;
  }
}

TEST(RuleDocumentationTest, EveryKeyIsExplainedAndShown) {
  const Page page = read_page();
  for (const auto key : classify::rule_file_keys()) {
    const std::string word(key);
    EXPECT_TRUE(word == "rules" || contains(page.prose, '`' + word + '`')) << word << " is not explained";
    EXPECT_TRUE(contains(page.shown, word + ":")) << word << " has no example";
  }
  for (const auto& interpreter : classify::interpreters()) {
    EXPECT_TRUE(contains(page.prose, '`' + std::string(interpreter.family) + '`')) << interpreter.family;
  }
}

TEST(RuleDocumentationTest, ShippedExamplesAreRuleFiles) {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(GPUKEEPER_SOURCE_DIR "/examples/rules")) {
    const auto loaded = Classifier::load(file.path());
    EXPECT_TRUE(loaded) << loaded.error().message;
    ++count;
  }
  EXPECT_GE(count, 1u);
}

TEST(RuleDocumentationTest, QuotedVerdictAndMistakeAreReal) {
  const Page page = read_page();
  const auto verdict =
      Classifier::built_in().classify({.executable = "/opt/xmrig", .arguments = {"xmrig", "-o", "pool.example:3333"}});
  EXPECT_TRUE(contains(page.prose, "mining by " + verdict.rule + ": " + verdict.reason));
  const auto mistake = Classifier::parse("rules:\n  - name: a\n    class: ml\n\n    programm: a\n", "lab.yaml");
  ASSERT_FALSE(mistake);
  EXPECT_TRUE(contains(page.prose, mistake.error().message)) << mistake.error().message;
}

}  // namespace
}  // namespace gpukeeper
