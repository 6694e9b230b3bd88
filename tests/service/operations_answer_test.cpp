#include "service/operations_answer.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

class OperationsAnswerTest : public testing::Test {
 protected:
  Response tell(std::string body) {
    Request request;
    request.method = "POST";
    request.path = "/api/v1/operations";
    request.body = std::move(body);
    return operations_answer(request, book_, snapshot_);
  }
  void expect_refusal(const std::string& body, unsigned status, const std::string& detail) {
    const Response response = tell(body);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_EQ(Json::parse(*response.body)["detail"], detail) << body;
  }
  std::uint64_t count(const std::string& device, const std::string& service, const std::string& operation) {
    const auto sums = book_.read();
    const auto found = sums.operations.find("device_id=\"" + device + "\",service_name=\"" + service +
                                            "\",operation_type=\"" + operation + "\"");
    return found == sums.operations.end() ? 0 : found->second.count;
  }

  prometheus::OperationBook book_;
  Snapshot snapshot_ = split_gpu();
};

TEST_F(OperationsAnswerTest, TakesOneAndSeveral) {
  const Response one = tell(R"({"service": "embedding", "operation": "inference", "device": "0", "count": 32,
                                "seconds": 0.012})");
  EXPECT_EQ(one.status, 202u);
  EXPECT_EQ(*one.body, "{\"schema\":\"gpukeeper.operations/1\",\"taken\":1}\n");
  EXPECT_EQ(count("0", "embedding", "inference"), 32u);
  EXPECT_EQ(tell(R"({"operations": [{"service": "a", "operation": "x"},
                                    {"service": "a", "operation": "x", "device": null, "seconds": null}]})")
                .status,
            202u);
  EXPECT_EQ(count("none", "a", "x"), 2u);
}

TEST_F(OperationsAnswerTest, APartitionsAreItsGpus) {
  EXPECT_EQ(tell(R"({"service": "a", "operation": "x", "device": "MIG-1"})").status, 202u);
  EXPECT_EQ(count("0", "a", "x"), 1u);
}

TEST_F(OperationsAnswerTest, WhatIsWrongIsNamed) {
  const std::string object =
      "the body must be a JSON object such as {\"service\": \"embedding\", \"operation\": \"inference\"}";
  expect_refusal("", 400, object);
  expect_refusal("[]", 400, object);
  expect_refusal("{\"a\"", 400, object);
  expect_refusal(std::string(100'000, '['), 400, object);
  expect_refusal("{}", 400, "service is missing: whose operation it was");
  expect_refusal(R"({"service": "a"})", 400, "operation is missing: what was done, such as \"inference\"");
  expect_refusal(R"({"service": ""})", 400, "service is \"\"; it takes a text of 1 to 256 bytes");
  expect_refusal(R"({"service": "a", "operation": 5})", 400,
                 "operation is 5; it takes a text of 1 to 256 bytes such as \"inference\"");
  expect_refusal(R"({"service": "a", "operation": "x", "count": 0})", 400,
                 "count is 0; it takes a whole number from 1 to 1000000000");
  expect_refusal(R"({"service": "a", "operation": "x", "count": 1.5})", 400,
                 "count is 1.5; it takes a whole number from 1 to 1000000000");
  expect_refusal(R"({"service": "a", "operation": "x", "seconds": -1})", 400,
                 "seconds is -1; it takes how long each took: a number from 0 to 86400, or null");
  expect_refusal(R"({"service": "a", "operation": "x", "device": 0})", 400,
                 "device is 0; it takes an index, a UUID or a PCI address, as a text, or null");
  expect_refusal(R"({"servcie": "a"})", 400,
                 "'servcie' is not known here; known are service, operation, device, count, seconds");
  expect_refusal(R"({"operations": []})", 400, "operations takes a list of 1 to 1000 of them");
  expect_refusal(
      R"({"operations": [{"service": "a", "operation": "x"}, 7]})", 400,
      "operations[1]: 7 is no operation: that is {\"service\": \"embedding\", \"operation\": \"inference\"}");
  expect_refusal(R"({"service": "a", "operation": "x", "device": "9"})", 404,
                 "there is no GPU '9': there is only GPU 0; gpukeeper devices lists their UUIDs and PCI addresses");
  EXPECT_TRUE(book_.read().operations.empty()) << "nothing of it was taken";
}

TEST_F(OperationsAnswerTest, TooManyKindsAreRefused) {
  for (std::size_t i = 0; i < prometheus::OperationBook::kMostSeries; ++i) {
    ASSERT_EQ(tell("{\"service\": \"" + std::to_string(i) + "\", \"operation\": \"x\"}").status, 202u);
  }
  expect_refusal(R"({"service": "one more", "operation": "x"})", 409,
                 "no more than 1000 kinds of operations are counted, by GPU, service and operation, until gpukeeper "
                 "starts anew: name operations by what they are, not by whom they serve");
}

}  // namespace
}  // namespace gpukeeper::service
