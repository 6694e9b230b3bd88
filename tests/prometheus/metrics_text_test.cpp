#include "prometheus/metrics_text.hpp"

#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::prometheus {
namespace {

MetricFacts facts_of(Snapshot snapshot) {
  return {.snapshot = std::make_shared<const Snapshot>(std::move(snapshot))};
}

TEST(MetricsTextTest, WithoutFamiliesNothingIsWritten) {
  EXPECT_EQ(metrics_text({}, {}, Syntax::text), "");
  EXPECT_EQ(metrics_text({}, {}, Syntax::openmetrics), "# EOF\n");
}

TEST(MetricsTextTest, AllFamiliesAreThoseOfEachOneAfterTheOther) {
  const MetricFacts facts = facts_of(four_gpus());
  std::string each;
  for (const auto& [name, family] : kFamilies) each += metrics_text(facts, {family}, Syntax::text);
  EXPECT_EQ(metrics_text(facts, all_families(), Syntax::text), each);
}

// Of the lines that begin with `# TYPE`.
std::map<std::string, int> heads(const std::string& text) {
  std::map<std::string, int> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) ++result[line.substr(7, line.find(' ', 7) - 7)];
  }
  return result;
}

TEST(MetricsTextTest, NoNameIsInTwoFamilies) {
  for (const Syntax syntax : {Syntax::text, Syntax::openmetrics}) {
    for (const std::string prefix : {"entrenar", "gpukeeper", "gpu", "gpukeeper_gpu", "DCGM_FI"}) {
      MetricFacts facts = facts_of(split_gpu());
      facts.prefix = prefix;
      for (const auto& [name, count] : heads(metrics_text(facts, all_families(), syntax))) EXPECT_EQ(count, 1) << name;
    }
  }
}

// By name: the names of its labels but for le, which a histogram's buckets bear.
TEST(MetricsTextTest, ANameHasOneSetOfLabels) {
  MetricFacts facts = facts_of(split_gpu());
  facts.services = {"embedding"};
  std::map<std::string, std::set<std::string>> labels;
  std::istringstream lines(metrics_text(facts, all_families(), Syntax::text));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::string names;
    const auto brace = line.find('{');
    bool quoted = false;
    std::string word;
    for (std::size_t i = brace; brace != std::string::npos && i < line.size(); ++i) {
      if (line[i] == '"' && line[i - 1] != '\\') quoted = !quoted;
      if (quoted) continue;
      if (line[i] == '=') names += word + " ";
      word = line[i] == ',' || line[i] == '{' ? "" : word + line[i];
    }
    labels[line.substr(0, std::min(brace, line.find(' ')))].insert(names);
  }
  EXPECT_GT(labels.size(), 30u);
  for (const auto& [name, sets] : labels) EXPECT_EQ(sets.size(), 1u) << name;
}

}  // namespace
}  // namespace gpukeeper::prometheus
