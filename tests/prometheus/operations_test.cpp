#include "prometheus/operations.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

using namespace std::chrono_literals;

std::vector<Operation> one(std::string service, std::string operation = "inference") {
  return {{.device = "0", .service = std::move(service), .operation = std::move(operation)}};
}

TEST(OperationsTest, SumUpByDeviceServiceAndOperation) {
  OperationBook book;
  const Operation inference{.device = "0", .service = "embedding", .operation = "inference", .count = 32, .took = 12ms};
  ASSERT_TRUE(book.note(std::vector{inference, inference}));
  ASSERT_TRUE(book.note(one("embedding", "load")));
  const auto sums = book.read();
  ASSERT_EQ(sums.operations.size(), 2u);
  const auto& sum = sums.operations.at(R"(device_id="0",service_name="embedding",operation_type="inference")");
  EXPECT_EQ(sum.count, 64u);
  EXPECT_EQ(sum.latency.count(), 64u);
  EXPECT_NEAR(sum.latency.sum(), 64 * 0.012, 1e-9);
  const auto& load = sums.operations.at(R"(device_id="0",service_name="embedding",operation_type="load")");
  EXPECT_EQ(load.count, 1u);
  EXPECT_EQ(load.latency.count(), 0u) << "nobody measured it";
}

TEST(OperationsTest, AreTakenAllOrNoneOnceThereAreTooManyKinds) {
  OperationBook book;
  for (std::size_t i = 0; i < OperationBook::kMostSeries - 1; ++i) ASSERT_TRUE(book.note(one(std::to_string(i))));
  const std::vector<Operation> two = {one("a").front(), one("b").front()};
  const auto refused = book.note(two);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::resource_exhausted);
  EXPECT_EQ(refused.error().message,
            "no more than 1000 kinds of operations are counted, by GPU, service and operation, until gpukeeper starts "
            "anew: name operations by what they are, not by whom they serve");
  EXPECT_EQ(book.read().operations.size(), OperationBook::kMostSeries - 1);
  EXPECT_TRUE(book.note(std::vector{two[0], two[0]})) << "both are of one kind, for which there is room";
  EXPECT_TRUE(book.note(one("0"))) << "that one is counted already";
}

TEST(OperationsTest, AllocationsCountSuccessAndFailureAndTheTimeOfBoth) {
  OperationBook book;
  book.note(Allocation{"0", "embedding", true, 3ms});
  book.note(Allocation{"none", "embedding", false, 4ms});
  book.note(Allocation{"none", "embedding", false, 5ms});
  const auto sums = book.read();
  EXPECT_EQ(sums.allocations.at(allocation_labels("0", "embedding")).succeeded, 1u);
  EXPECT_EQ(sums.allocations.at(allocation_labels("0", "embedding")).failed, 0u);
  EXPECT_EQ(sums.allocations.at(allocation_labels("none", "embedding")).failed, 2u);
  EXPECT_EQ(sums.allocations.at(allocation_labels("none", "embedding")).duration.count(), 2u);
}

TEST(OperationsTest, AllocationsOfTooManyServicesAreOfOthers) {
  OperationBook book;
  for (std::size_t i = 0; i < OperationBook::kMostSeries + 5; ++i) {
    book.note(Allocation{"0", std::to_string(i), true, 1ms});
  }
  const auto sums = book.read();
  EXPECT_EQ(sums.allocations.size(), OperationBook::kMostSeries + 1);
  EXPECT_EQ(sums.allocations.at(allocation_labels("none", "other")).succeeded, 5u);
}

}  // namespace
}  // namespace gpukeeper::prometheus
