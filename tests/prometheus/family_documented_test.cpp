#include "prometheus/family_documented.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "golden.hpp"

namespace gpukeeper::prometheus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string written(const MetricFacts& facts, Syntax syntax = Syntax::text) {
  Exposition out(syntax);
  write_documented(out, facts);
  return std::move(out).finish();
}

MetricFacts facts_of(Snapshot snapshot) {
  return {.snapshot = std::make_shared<const Snapshot>(std::move(snapshot))};
}

TEST(FamilyDocumentedTest, IsAsItWasReviewed) {
  OperationBook book;
  const std::vector<Operation> operations = {
      {.device = "0", .service = "embedding", .operation = "inference", .count = 32, .took = 12ms},
      {.device = "0", .service = "gpu-optimizer", .operation = "sample", .took = 800us}};
  ASSERT_TRUE(book.note(operations));
  book.note(Allocation{"0", "embedding", true, 3ms});
  book.note(Allocation{"none", "embedding", false, 40ms});
  MetricFacts facts = facts_of(four_gpus());
  facts.services = {"embedding", "gpu-optimizer"};
  facts.operations = book.read();
  expect_golden(written(facts), "documented.txt");
  expect_golden(written(facts, Syntax::openmetrics), "documented.openmetrics");
}

// Else a rate() sees no first failure: the series begins with it (BUG-037).
TEST(FamilyDocumentedTest, AllocationsHaveBothSeriesAndTheirHistogramFromTheStart) {
  const std::string text = written(facts_of(simulated_gpu()));
  const std::string labels = R"(device_id="0",service_name="gpu-optimizer")";
  EXPECT_THAT(text, HasSubstr("gpu_allocation_requests_total{" + labels + ",status=\"success\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gpu_allocation_requests_total{" + labels + ",status=\"failed\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gpu_allocation_duration_seconds_count{" + labels + "} 0\n"));
}

TEST(FamilyDocumentedTest, TheHelpTextsAreTheDocumentedOnes) {
  const std::string text = written(facts_of(simulated_gpu()));
  for (const std::string line : {
           "# HELP gpu_utilization_percent GPU utilization percentage\n# TYPE gpu_utilization_percent gauge\n",
           "# HELP gpu_memory_usage_mb GPU memory usage in MB\n# TYPE gpu_memory_usage_mb gauge\n",
           "# HELP gpu_memory_total_mb Total GPU memory in MB\n# TYPE gpu_memory_total_mb gauge\n",
           "# HELP gpu_memory_free_mb Free GPU memory in MB\n# TYPE gpu_memory_free_mb gauge\n",
           "# HELP gpu_temperature_celsius GPU temperature in Celsius\n# TYPE gpu_temperature_celsius gauge\n",
           "# HELP gpu_power_usage_watts GPU power usage in watts\n# TYPE gpu_power_usage_watts gauge\n",
           "# HELP gpu_allocation_requests_total Total GPU allocation requests\n"
           "# TYPE gpu_allocation_requests_total counter\n",
           "# HELP gpu_allocation_duration_seconds GPU allocation duration\n"
           "# TYPE gpu_allocation_duration_seconds histogram\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(FamilyDocumentedTest, WhatIsAbsentIsNoLine) {
  const std::string text = written(facts_of(four_gpus()));
  EXPECT_THAT(text, HasSubstr("gpu_memory_free_mb{device_id=\"1\",service_name=\"gpu-optimizer\"} 19559\n"));
  EXPECT_THAT(text, Not(HasSubstr("gpu_temperature_celsius{device_id=\"2\"")));
  EXPECT_THAT(text, Not(HasSubstr("gpu_temperature_celsius{device_id=\"3\"")));
}

TEST(FamilyDocumentedTest, WhatClientsCallThemselvesCannotBreakALine) {
  OperationBook book;
  const std::string evil = "a\"} 1\nevil{x=\"\xff";
  ASSERT_TRUE(book.note(std::vector<Operation>{{.device = "0", .service = evil, .operation = evil}}));
  book.note(Allocation{"0", evil, true, 1ms});
  MetricFacts facts = facts_of(simulated_gpu());
  facts.service_name = evil;
  facts.services = {evil, evil};
  facts.operations = book.read();
  const std::string text = written(facts);
  EXPECT_THAT(text, HasSubstr(R"(gpu_throughput_ops_total{device_id="0",service_name="a\"} 1?evil{x=\"?",)"
                              R"(operation_type="a\"} 1?evil{x=\"?"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(gpu_allocation_requests_total{device_id="0",service_name="a\"} 1?evil{x=\"?",)"
                              R"(status="success"} 1)"));
  EXPECT_THAT(text, Not(HasSubstr("\nevil")));
}

}  // namespace
}  // namespace gpukeeper::prometheus
