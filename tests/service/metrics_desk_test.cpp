#include "service/metrics_desk.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using prometheus::allocation_labels;
using Kind = Bookkeeper::Served::Kind;

class MetricsDeskTest : public testing::Test {
 protected:
  MetricsDeskTest() { desk_.latest->publish(std::make_shared<const Snapshot>(split_gpu())); }

  std::uint64_t operations(const std::string& device, const std::string& operation) const {
    const auto sums = desk_.operations->read();
    const auto found =
        sums.operations.find(allocation_labels(device, "gpu-optimizer") + ",operation_type=\"" + operation + "\"");
    return found == sums.operations.end() ? 0 : found->second.count;
  }

  const MetricsDesk desk_;
};

TEST_F(MetricsDeskTest, AStepSamplesEveryGpuThatAnswers) {
  note_step(desk_, four_gpus(), {.took = 2ms, .late = 1ms});
  EXPECT_EQ(operations("0", "sample"), 1u);
  EXPECT_EQ(operations("1", "sample"), 1u);
  EXPECT_EQ(operations("2", "sample"), 0u) << "it sleeps";
  EXPECT_EQ(desk_.self->read().tick.count(), 1u);
}

TEST_F(MetricsDeskTest, WhatIsGrantedIsAnAllocationOfItsServiceAndAnOperationOfOurs) {
  note_served(desk_, {.kind = Kind::granted, .service = "embedding", .devices = {"MIG-1"}, .took = 3ms});
  const auto sums = desk_.operations->read();
  EXPECT_EQ(sums.allocations.at(allocation_labels("0", "embedding")).succeeded, 1u) << "the partition's GPU";
  EXPECT_EQ(operations("0", "allocate"), 1u);
}

TEST_F(MetricsDeskTest, EveryRefusalCounts) {
  note_served(desk_, {.kind = Kind::refused, .service = "embedding", .devices = {}, .took = 3ms});
  note_served(desk_, {.kind = Kind::refused, .service = "embedding", .devices = {"GPU-gone"}, .took = 3ms});
  note_served(desk_, {.kind = Kind::refused, .service = "embedding", .devices = {"GPU-aaaa"}, .took = 3ms});
  const auto sums = desk_.operations->read();
  EXPECT_EQ(sums.allocations.at(allocation_labels("none", "embedding")).failed, 2u);
  EXPECT_EQ(sums.allocations.at(allocation_labels("0", "embedding")).failed, 1u);
  EXPECT_EQ(sums.allocations.at(allocation_labels("0", "embedding")).duration.count(), 1u);
  EXPECT_TRUE(sums.operations.empty()) << "nothing was done";
}

TEST_F(MetricsDeskTest, GivingBackIsAnOperationAndNoAllocation) {
  note_served(desk_, {.kind = Kind::released, .service = "embedding", .devices = {"GPU-aaaa"}, .took = 3ms});
  EXPECT_EQ(operations("0", "deallocate"), 1u);
  EXPECT_TRUE(desk_.operations->read().allocations.empty());
}

TEST_F(MetricsDeskTest, OptimizingIsOfNoGpu) {
  note_own(desk_, "optimize", 3ms);
  EXPECT_EQ(operations("none", "optimize"), 1u);
}

}  // namespace
}  // namespace gpukeeper::service
