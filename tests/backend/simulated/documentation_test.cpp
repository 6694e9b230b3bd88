// docs/scenarios.md against the parser: its blocks are scenarios, and it names every key.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "backend/simulated/scenario.hpp"
#include "core/text.hpp"

namespace gpukeeper::simulated {
namespace {

struct Page {
  std::vector<std::string> blocks;  // what stands in ```yaml
  std::string shown;                // all of them
  std::string prose;                // all else
};

Page read_page() {
  std::ifstream in(GPUKEEPER_SOURCE_DIR "/docs/scenarios.md");
  std::ostringstream content;
  content << in.rdbuf();
  const std::string text = content.str();
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
  EXPECT_FALSE(inside) << "a block does not end";
  return page;
}

TEST(ScenarioDocumentationTest, EveryYamlBlockIsAScenario) {
  const Page page = read_page();
  EXPECT_GE(page.blocks.size(), 6u);
  for (const auto& block : page.blocks) {
    const auto scenario = parse_scenario(block, "docs/scenarios.md");
    EXPECT_TRUE(scenario) << scenario.error().message << "\n" << block;
  }
}

TEST(ScenarioDocumentationTest, EveryKeyIsExplainedAndShown) {
  const Page page = read_page();
  const auto contains = [](const std::string& text, const std::string& piece) {
    return text.find(piece) != std::string::npos;
  };
  for (const auto word : scenario_keys()) {
    const std::string key(word);
    EXPECT_TRUE(contains(page.prose, '`' + key + '`') || contains(page.prose, key + ": "))
        << key << " is not explained";
    EXPECT_TRUE(contains(page.shown, key + ": ") || contains(page.shown, key + ":\n") ||
                contains(page.shown, "kind: " + key))
        << key << " has no example";
  }
}

}  // namespace
}  // namespace gpukeeper::simulated
