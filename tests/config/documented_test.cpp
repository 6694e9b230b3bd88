#include "config/documented.hpp"

#include <gtest/gtest.h>

#include "config/file_edit.hpp"
#include "inputs.hpp"

namespace gpukeeper::config {
namespace {

std::string shown(const Effective& effective, std::string_view key) {
  return find_key(key)->show(effective.settings);
}

TEST(DocumentedTest, TheDocumentedFileMeansWhatItSays) {
  const auto read = from_file(R"(
optimization:
  interval: 120
  memory_threshold: 0.8
  allocation_timeout: 20
  deallocation_timeout: 5
services:
  embedding_service:
    min_memory_mb: 2048
    max_memory_mb: 8192
    preferred_device: null
  reranking_service: {min_memory_mb: 1024, max_memory_mb: 4096, preferred_device: 1}
monitoring:
  metrics_port: 8000
  update_interval: 30
temp_throttle: 80
)");
  ASSERT_TRUE(read) << read.error().message;
  const auto meant = from_file(R"(
reclaim: {optimization_interval: 120, memory_threshold: 0.8}
ledger:
  allocation_timeout: 20
  deallocation_timeout: 5
  quotas:
    - {service: embedding_service, min_request: 2GiB, max_request: 8GiB}
    - {service: reranking_service, min_request: 1GiB, max_request: 4GiB, preferred_device: "1"}
metrics: {listen: ["0.0.0.0:8000"]}
sample_interval: 30
temp_throttle: 80
)");
  ASSERT_TRUE(meant) << meant.error().message;
  EXPECT_EQ(read->settings, meant->settings);
  EXPECT_NE(read->settings, Settings());
  EXPECT_EQ(read->origin("reclaim.memory_threshold").place, "f.yaml:4:21");
}

TEST(DocumentedTest, EmptySectionsSayNothing) {
  const auto read = from_file("optimization:\nservices:\nmonitoring: {}\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->settings, Settings());
}

TEST(DocumentedTest, MistakesAreShownWithTheirPlace) {
  EXPECT_EQ(refusal_of("optimization: {intervall: 3}"),
            "f.yaml:1:16: unknown key 'intervall' in optimization: did you mean 'interval'?");
  EXPECT_EQ(refusal_of("optimization: 3"),
            "f.yaml:1:15: optimization: '3' is no mapping of interval, memory_threshold, allocation_timeout, "
            "deallocation_timeout");
  EXPECT_EQ(refusal_of("services: [a]"), "f.yaml:1:11: services: a list is no mapping of services");
  EXPECT_EQ(refusal_of("services: {a: 3}"),
            "f.yaml:1:15: services.a: '3' is no mapping of min_memory_mb, max_memory_mb, preferred_device");
  EXPECT_EQ(refusal_of("optimization:\n  memory_threshold: 85"),
            "f.yaml:2:21: reclaim.memory_threshold: 85 is not from 0.01 to 1");
}

// `gpukeeper config set --save` writes its own key, which then counts.
TEST(DocumentedTest, ADocumentedFileCanBeEdited) {
  const std::string text = "optimization:\n  interval: 120\n  memory_threshold: 0.85\n";
  const auto next = edited(text, "f.yaml", assigned({"reclaim.memory_threshold=0.8"}));
  ASSERT_TRUE(next) << next.error().message;
  const auto read = from_file(*next);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(shown(*read, "reclaim.memory_threshold"), "0.8");
  EXPECT_EQ(shown(*read, "reclaim.optimization_interval"), "120");
}

TEST(DocumentedTest, ItsVariablesCountBelowThoseOfGpukeeper) {
  Inputs inputs{.file = File{"f.yaml", "optimization: {interval: 100}\n"}};
  inputs.environment =
      variables({{"OPTIMIZATION_INTERVAL", "200"}, {"MEMORY_THRESHOLD", "0.7"}, {"METRICS_INTERVAL", "5"}});
  auto read = effective(inputs);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(shown(*read, "reclaim.optimization_interval"), "200");
  EXPECT_EQ(shown(*read, "reclaim.memory_threshold"), "0.7");
  EXPECT_EQ(shown(*read, "sample_interval"), "5");
  EXPECT_EQ(read->origin("reclaim.memory_threshold").place, "MEMORY_THRESHOLD");

  inputs.environment =
      variables({{"OPTIMIZATION_INTERVAL", "200"}, {"GPUKEEPER_RECLAIM_OPTIMIZATION_INTERVAL", "300"}});
  read = effective(inputs);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(shown(*read, "reclaim.optimization_interval"), "300");
}

}  // namespace
}  // namespace gpukeeper::config
