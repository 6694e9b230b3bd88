#include "service/documented/gpu_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "documented_service.hpp"

namespace gpukeeper::service::documented {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Two GPUs of 81,559 MiB, of which 62,000 are in use.
class GpuMemoryTest : public testing::Test {
 protected:
  static Snapshot two() {
    const auto gpu = [](std::uint32_t index) {
      return device(index, facts("GPU-" + std::to_string(index), "NVIDIA L4", "0000:01:00.0"), busy());
    };
    return machine({gpu(0), gpu(1)});
  }
  Response allocate(const std::string& body) { return service_.change("POST", "/api/gpu/memory/allocate", body); }
  Response deallocate(const std::string& body) { return service_.change("POST", "/api/gpu/memory/deallocate", body); }
  static void expect(const Response& response, unsigned status, const std::string& body) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(*response.body, body + "\n");
  }
  static void expect_refusal(const Response& response, unsigned status, const std::string& error,
                             const std::string& detail) {
    EXPECT_EQ(response.status, status);
    const json document = json::parse(*response.body);
    EXPECT_EQ(document["success"], false);
    EXPECT_EQ(document["error"], error);
    EXPECT_EQ(document.value("detail", ""), detail);
  }
  std::string available(const std::string& gpu) {
    return service_.document("/api/gpu/memory/available", {{"gpu_id", gpu}})["data"]["available_mb"].dump();
  }

  DocumentedService service_{two()};
};

constexpr const char* kNotAllocated = "Memory allocation failed - insufficient memory or invalid request";

TEST_F(GpuMemoryTest, WhatIsAllocatedIsGoneUntilItIsGivenBack) {
  expect(allocate(R"({"allocation_id":"llm_model","required_mb":2048,"gpu_id":0})"), 200,
         R"({"data":{"allocated_mb":2048,"allocation_id":"llm_model","available_mb":4096},"success":true})");
  EXPECT_EQ(available("0"), "4096");
  EXPECT_EQ(available("1"), "6144");
  EXPECT_EQ(service_.document("/api/gpu/status")["data"]["memory"]["allocation_stats"].dump(),
            R"({"allocated_mb":2048,"allocation_count":1,"allocations":{"llm_model":2048},"available_mb":4096,)"
            R"("limit_mb":6144,"total_mb":81559.0})");
  expect(deallocate(R"({"allocation_id":"llm_model"})"), 200,
         R"({"data":{"allocation_id":"llm_model","available_mb":6144},"success":true})");
  expect_refusal(deallocate(R"({"allocation_id":"llm_model"})"), 404, "Deallocation failed - allocation not found", "");
}

TEST_F(GpuMemoryTest, TheLimitMayBeReachedAndNotExceeded) {
  EXPECT_EQ(allocate(R"({"allocation_id":"a","required_mb":6144})").status, 200u);
  EXPECT_EQ(available("0"), "0");
  const auto refused = allocate(R"({"allocation_id":"b","required_mb":1})");
  EXPECT_EQ(refused.status, 400u);
  const json document = json::parse(*refused.body);
  EXPECT_EQ(document["error"], kNotAllocated);
  EXPECT_THAT(document["detail"].get<std::string>(), HasSubstr("GPU 0"));
}

TEST_F(GpuMemoryTest, AnIdStandsOnceOnAGpu) {
  EXPECT_EQ(allocate(R"({"allocation_id":"a","required_mb":1,"gpu_id":0})").status, 200u);
  EXPECT_EQ(allocate(R"({"allocation_id":"a","required_mb":1,"gpu_id":1})").status, 200u);
  EXPECT_EQ(allocate(R"({"allocation_id":"a","required_mb":1,"gpu_id":0})").status, 400u);
}

TEST_F(GpuMemoryTest, NumbersAreIdsAndAreAnsweredAsTheyWereSent) {
  expect(allocate(R"({"allocation_id":7,"required_mb":0.5})"), 200,
         R"({"data":{"allocated_mb":0.5,"allocation_id":7,"available_mb":6143.5},"success":true})");
  expect(deallocate(R"({"allocation_id":"7"})"), 200,
         R"({"data":{"allocation_id":"7","available_mb":6144},"success":true})");
}

TEST_F(GpuMemoryTest, ItIsTheOneLedger) {
  EXPECT_EQ(allocate(R"({"allocation_id":"llm","required_mb":10})").status, 200u);
  const auto leases = service_.book().leases();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].service.text(), "gpu_manager");
  EXPECT_EQ(leases[0].name, "llm");
  EXPECT_EQ(leases[0].device.text(), "GPU-0");
  EXPECT_EQ(leases[0].min, 10_MiB);
  EXPECT_EQ(leases[0].surface, Surface::documented);
  EXPECT_EQ(leases[0].uid, DocumentedService::kOwner);
  EXPECT_EQ(kind_of(leases[0].owner), "standing");
}

TEST_F(GpuMemoryTest, ALeaseThatCameByAnotherDoorIsNotGivenBackByThisOne) {
  LeaseRequest request;
  request.service = "native";
  request.name = "theirs";
  request.min = 1_MiB;
  request.device = "GPU-0";
  request.owner = StandingOwner{};
  ASSERT_TRUE(service_.book().reserve(request));
  EXPECT_EQ(deallocate(R"({"allocation_id":"theirs"})").status, 404u);
  EXPECT_EQ(service_.book().leases().size(), 1u);
}

TEST_F(GpuMemoryTest, WhatWasEndedElsewhereIsSeenWithTheNextSnapshot) {
  EXPECT_EQ(allocate(R"({"allocation_id":"llm","required_mb":10})").status, 200u);
  ASSERT_TRUE(service_.book().release(service_.book().leases()[0].id));
  Snapshot next = two();
  next.sequence = 8;
  service_.see(std::move(next));
  EXPECT_EQ(available("0"), "6144");
}

TEST_F(GpuMemoryTest, ARequestThatCannotBeSaysWhatWouldBeRight) {
  const std::string size = "required_mb takes a number of MiB above 0";
  for (const std::string wrong : {"0", "-1", "true", "\"1\"", "[1]", "1e300"}) {
    expect_refusal(allocate(R"({"allocation_id":"a","required_mb":)" + wrong + "}"), 400, kNotAllocated, size);
  }
  const std::string id = "allocation_id takes a text of 1 to 256 bytes, or a whole number";
  for (const std::string& wrong :
       {std::string("\"\""), std::string("1.5"), std::string("true"), '"' + std::string(257, 'a') + '"'}) {
    expect_refusal(allocate(R"({"required_mb":1,"allocation_id":)" + wrong + "}"), 400, kNotAllocated, id);
  }
  for (const std::string wrong : {"\"0\"", "0.0", "true", "null"}) {
    const std::string gpu = "gpu_id takes a whole number: the index of a GPU";
    expect_refusal(allocate(R"({"allocation_id":"a","required_mb":1,"gpu_id":)" + wrong + "}"), 400, gpu, "");
    expect_refusal(deallocate(R"({"allocation_id":"a","gpu_id":)" + wrong + "}"), 400, gpu, "");
  }
  expect_refusal(allocate(R"({"allocation_id":"a","required_mb":1,"gpu_id":18446744073709551615})"), 400, kNotAllocated,
                 "there is no GPU -1");
  EXPECT_TRUE(service_.book().leases().empty());
}

TEST_F(GpuMemoryTest, WhatIsMissingIsNamed) {
  const std::string allocating = "Missing required fields: allocation_id, required_mb";
  for (const std::string body : {"{}", "null", "[]", "5", R"("allocation_id required_mb")", R"({"allocation_id":"a"})",
                                 R"({"required_mb":1,"allocation_id":null})"}) {
    expect_refusal(allocate(body), 400, allocating, "");
  }
  for (const std::string body : {"{}", "null", "[]", R"({"gpu_id":0})"}) {
    expect_refusal(deallocate(body), 400, "Missing required field: allocation_id", "");
  }
}

TEST_F(GpuMemoryTest, WhatIsNoJsonIsTheClientsMistake) {
  const std::string malformed =
      "400 Bad Request: The browser (or proxy) sent a request that this server could not understand.";
  expect_refusal(allocate("{\n  allocation_id"), 400, malformed, "the body is no JSON: line 2, column 3");
  expect_refusal(allocate("NaN"), 400, malformed, "the body is no JSON: line 1, column 1");
  expect_refusal(allocate(""), 400, malformed, "the body is no JSON: line 1, column 1");
  expect_refusal(allocate(R"({"allocation_id":"a","required_mb":1e999})"), 400, malformed,
                 "the body is no JSON: a number in it is too large");
  const auto other = service_.ask("POST", "/api/gpu/memory/allocate", {}, "{}", {{"Content-Type", "text/plain"}},
                                  DocumentedService::kOwner);
  expect_refusal(other, 415,
                 "415 Unsupported Media Type: Did not attempt to load JSON data because the request Content-Type was "
                 "not 'application/json'.",
                 "");
}

TEST_F(GpuMemoryTest, ALedgerThatIsClosedSaysWhy) {
  service_.close_the_book();
  const auto refused = allocate(R"({"allocation_id":"a","required_mb":1})");
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(json::parse(*refused.body)["error"], "no space left on device");
  EXPECT_THAT(refused.headers, testing::Contains(Header{"Retry-After", "1"}));
}

TEST_F(GpuMemoryTest, WhoComesWhenTooManyWaitIsToldToComeAgain) {
  service_.crowd_the_desk();
  const std::string busy = "too many long questions wait for their answers: try again in a second";
  expect_refusal(allocate(R"({"allocation_id":"a","required_mb":1})"), 503, busy, "");
  expect_refusal(service_.get("/api/gpu/memory/available"), 503, busy, "");
}

TEST_F(GpuMemoryTest, TheLedgerIsAskedOnceATick) {
  EXPECT_EQ(available("0"), "6144");
  service_.crowd_the_desk();
  EXPECT_EQ(available("0"), "6144");  // without it
}

TEST_F(GpuMemoryTest, OverTcpNothingIsChanged) {
  for (const std::string path : {"memory/allocate", "memory/deallocate", "monitoring/start", "monitoring/stop"}) {
    const auto refused = service_.ask("POST", "/api/gpu/" + path, {}, "{}", {{"Content-Type", "application/json"}});
    expect_refusal(refused, 401,
                   "this changes what gpukeeper does, and over TCP that takes a token: 'gpukeeper token create' makes "
                   "one; send it as 'Authorization: Bearer TOKEN', or ask over the unix socket",
                   "");
    EXPECT_THAT(refused.headers, testing::Contains(Header{"WWW-Authenticate", "Bearer"}));
  }
  EXPECT_TRUE(service_.monitoring());  // it was not stopped
}

TEST_F(GpuMemoryTest, AStrangerAtTheSocketMayNot) {
  const auto refused = service_.ask("POST", "/api/gpu/memory/allocate", {}, "{}",
                                    {{"Content-Type", "application/json"}}, DocumentedService::kOwner + 1);
  expect_refusal(
      refused, 403,
      "this takes the role operator, and user 1001 has viewer: root, the user that gpukeeper runs as and the "
      "groups of auth.operator_groups have it",
      "");
}

TEST_F(GpuMemoryTest, AServicesTokenBooksForItAndGivesBackNoOthers) {
  service_.ask_as({.role = auth::Role::operator_, .name = "token e (1)", .known = true, .service = "embedding"});
  const auto send = [&](const std::string& what) {
    return service_.ask("POST", "/api/gpu/memory/" + what, {}, R"({"allocation_id":"llm","required_mb":16})",
                        {{"Content-Type", "application/json"}});
  };
  EXPECT_EQ(send("allocate").status, 200u);
  EXPECT_EQ(service_.book().leases().at(0).service.text(), "embedding");
  service_.ask_as({.role = auth::Role::operator_, .name = "token c (2)", .known = true, .service = "chat"});
  EXPECT_EQ(send("deallocate").status, 404u);
  const auto monitoring = service_.ask("POST", "/api/gpu/monitoring/stop");
  expect_refusal(monitoring, 403, "the token c (2) is for the leases of service 'chat', and this is about more", "");
  service_.ask_as({.role = auth::Role::operator_, .name = "token ci (3)", .known = true});
  EXPECT_EQ(send("deallocate").status, 200u);
  EXPECT_EQ(service_.ask("POST", "/api/gpu/monitoring/stop").status, 200u);
}

}  // namespace
}  // namespace gpukeeper::service::documented
