#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embed/opened.hpp"

namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

gk_request request(std::uint64_t bytes) {
  return {.size = sizeof(gk_request), .service = "embedding", .bytes = bytes, .device = GK_ALL_DEVICES};
}

std::string ask(gk_keeper* keeper, const char* method, const std::string& target, const char* body = nullptr) {
  char* text = nullptr;
  const gk_result result = gk_ask(keeper, method, target.c_str(), body, &text);
  std::string answer = result == GK_OK ? std::string(text) : "failed: " + std::string(gk_last_error());
  gk_free(text);
  return answer;
}

class LeasesTest : public testing::Test {
 protected:
  gk_result allocate(const gk_request& wanted) { return gk_allocate(keeper_, &wanted, &lease_, nullptr); }

  Opened keeper_;
  gk_lease lease_{.size = sizeof(gk_lease)};
};

TEST_F(LeasesTest, ALeaseIsBookedWhereThereIsRoomAndGivenBack) {
  std::uint64_t before = 0;
  ASSERT_EQ(gk_available(keeper_, 0, &before), GK_OK) << gk_last_error();
  ASSERT_EQ(allocate(request(2 * kGib)), GK_OK) << gk_last_error();
  EXPECT_GT(lease_.id, 0U);
  EXPECT_EQ(lease_.bytes, 2 * kGib);
  EXPECT_GT(lease_.fence, 0U);
  EXPECT_EQ(lease_.device, 0);  // which has more room
  EXPECT_EQ(lease_.fell_back, 0);
  std::uint64_t between = 0;
  ASSERT_EQ(gk_available(keeper_, 0, &between), GK_OK);
  EXPECT_EQ(before - between, 2 * kGib);
  EXPECT_EQ(gk_release(keeper_, lease_.id), GK_OK) << gk_last_error();
  ASSERT_EQ(gk_available(keeper_, 0, &between), GK_OK);
  EXPECT_EQ(before, between);
  EXPECT_EQ(gk_release(keeper_, lease_.id), GK_OK) << "released twice is released";
}

TEST_F(LeasesTest, WhatWasNeverGivenIsNotFound) {
  EXPECT_EQ(gk_release(keeper_, 99), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no lease 99");
  EXPECT_EQ(gk_renew(keeper_, 99), GK_NOT_FOUND);
  EXPECT_EQ(gk_resize(keeper_, 99, kGib), GK_NOT_FOUND);
  EXPECT_EQ(gk_release_named(keeper_, "llm", 0), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "no lease is called 'llm' on GPU 0");
  EXPECT_EQ(gk_release_named(keeper_, "llm", 5), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no GPU 5 to book on");
  std::uint64_t bytes = 0;
  EXPECT_EQ(gk_available(keeper_, 7, &bytes), GK_NOT_FOUND);
}

TEST_F(LeasesTest, ARefusalSaysWhatIsInTheWay) {
  EXPECT_EQ(allocate(request(4096 * kGib)), GK_REFUSED);
  EXPECT_THAT(gk_last_error(), StartsWith("embedding asks for 4194304 MiB, and no GPU could ever give that\nGPU 0 ("));
  EXPECT_THAT(gk_last_problem(), HasSubstr(R"("code":"never_fits")"));
  EXPECT_EQ(lease_.id, 0U);
}

TEST_F(LeasesTest, ANameStandsOnceOnADevice) {
  gk_request wanted = request(kGib);
  wanted.name = "llm";
  wanted.device = 1;
  wanted.require = 1;
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  EXPECT_EQ(lease_.device, 1);
  EXPECT_EQ(allocate(wanted), GK_EXISTS);
  EXPECT_THAT(gk_last_error(), HasSubstr("has a lease of that name already"));
  EXPECT_EQ(gk_release_named(keeper_, "llm", 1), GK_OK) << gk_last_error();
  EXPECT_EQ(allocate(wanted), GK_OK) << gk_last_error();
}

TEST_F(LeasesTest, TheSameRequestTwiceIsOneLease) {
  gk_request wanted = request(kGib);
  wanted.request_id = "step-7";
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  const auto first = lease_.id;
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  EXPECT_EQ(lease_.id, first);
}

TEST_F(LeasesTest, WaitingInVainIsATimeout) {
  gk_request wanted = request(20 * kGib);
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  wanted.wait_seconds = 0.02;
  EXPECT_EQ(allocate(wanted), GK_TIMEOUT);
  EXPECT_THAT(gk_last_error(),
              StartsWith("waited 0.02 s in vain: embedding asks for 20480 MiB, and no GPU has room for it now"));
  EXPECT_THAT(gk_last_problem(), HasSubstr(R"("code":"insufficient_memory")"));
}

TEST_F(LeasesTest, WhoWaitsGetsWhatIsGivenBack) {
  gk_request wanted = request(20 * kGib);
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  const auto first = lease_.id;
  wanted.wait_seconds = 60;
  gk_lease second{.size = sizeof second};
  gk_result result = GK_FAILED;
  std::thread waiter([&] { result = gk_allocate(keeper_, &wanted, &second, nullptr); });
  EXPECT_EQ(gk_release(keeper_, first), GK_OK);
  waiter.join();
  EXPECT_EQ(result, GK_OK);
  EXPECT_GT(second.id, first);
}

TEST_F(LeasesTest, ClosingEndsWaiting) {
  gk_request wanted = request(20 * kGib);
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  wanted.wait_seconds = 3600;
  std::string error;
  gk_result result = GK_OK;
  std::thread waiter([&, keeper = static_cast<gk_keeper*>(keeper_)] {
    gk_lease lease{.size = sizeof lease};
    result = gk_allocate(keeper, &wanted, &lease, nullptr);
    error = gk_last_error();
  });
  keeper_.close();
  waiter.join();
  EXPECT_TRUE(result == GK_UNAVAILABLE || result == GK_INVALID) << result;  // the latter where it came too late
  EXPECT_TRUE(error == "the keeper is being closed" || error == "this keeper is closed") << error;
}

TEST_F(LeasesTest, ALeaseLivesAsLongAsItIsRenewed) {
  gk_request wanted = request(kGib);
  wanted.ttl_seconds = 60;
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  EXPECT_EQ(gk_renew(keeper_, lease_.id), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper_, "GET", "/api/v1/leases/" + std::to_string(lease_.id)), HasSubstr(R"("kind":"heartbeat")"));
}

TEST_F(LeasesTest, ALeaseIsOfThisProcessUnlessItStands) {
  ASSERT_EQ(allocate(request(kGib)), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper_, "GET", "/api/v1/leases/" + std::to_string(lease_.id)), HasSubstr(R"("kind":"process")"));
  gk_request wanted = request(kGib);
  wanted.standing = 1;
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper_, "GET", "/api/v1/leases/" + std::to_string(lease_.id)), HasSubstr(R"("kind":"standing")"));
}

TEST_F(LeasesTest, ALeaseChangesItsSize) {
  ASSERT_EQ(allocate(request(kGib)), GK_OK) << gk_last_error();
  ASSERT_EQ(gk_resize(keeper_, lease_.id, 3 * kGib), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper_, "GET", "/api/v1/leases/" + std::to_string(lease_.id)),
              HasSubstr(R"("min_bytes":3221225472)"));
  EXPECT_EQ(gk_resize(keeper_, lease_.id, 4096 * kGib), GK_REFUSED);
}

TEST_F(LeasesTest, TheLeaseIsGivenAsADocumentToWhoWantsIt) {
  gk_request wanted = request(kGib);
  wanted.metadata_json = R"({"job": "17"})";
  char* json = nullptr;
  ASSERT_EQ(gk_allocate(keeper_, &wanted, &lease_, &json), GK_OK) << gk_last_error();
  EXPECT_THAT(json, HasSubstr(R"("metadata":{"job":"17"})"));
  gk_free(json);
}

TEST_F(LeasesTest, DocumentedLeasesHaveTheDocumentedLimit) {
  gk_request wanted = request(6 * kGib);
  wanted.service = "gpu_manager";
  wanted.name = "llm";
  wanted.device = 0;
  wanted.require = 1;
  wanted.standing = 1;
  wanted.documented = 1;
  ASSERT_EQ(allocate(wanted), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper_, "GET", "/api/gpu/status"), HasSubstr(R"("allocations":{"llm":6144})"));
  wanted.name = "more";
  wanted.bytes = 1;
  EXPECT_EQ(allocate(wanted), GK_REFUSED) << "memory_limit_mb is 6144";
  EXPECT_THAT(ask(keeper_, "POST", "/api/gpu/memory/deallocate", R"({"allocation_id": "llm"})"),
              HasSubstr(R"("success":true)"));
}

TEST_F(LeasesTest, WrongRequestsAreRefusedWithWhatWouldBeRight) {
  struct Case {
    gk_request request;
    std::string_view message;
  };
  const auto changed = [](auto change) {
    gk_request wanted = request(kGib);
    change(wanted);
    return wanted;
  };
  const Case cases[] = {
      {changed([](gk_request& r) { r.size = 0; }), "gk_request.size is 0: set it to sizeof(gk_request)"},
      {changed([](gk_request& r) { r.bytes = UINT64_MAX; }),
       "gk_request.bytes is 18446744073709551615: it takes bytes from 0 to 9007199254740991"},
      {changed([](gk_request& r) { r.device = -2; }),
       "gk_request.device is -2: it takes the index of a GPU, or GK_ALL_DEVICES (-1)"},
      {changed([](gk_request& r) { r.require = 1; }),
       "gk_request.require is set, but device is GK_ALL_DEVICES: say which GPU is required"},
      {changed([](gk_request& r) { r.ttl_seconds = 0.01; }),
       "gk_request.ttl_seconds is 0.01: it takes 0.1 to 2678400, or 0 for none"},
      {changed([](gk_request& r) { r.wait_seconds = -1; }), "gk_request.wait_seconds is -1: it takes 0 to 86400"},
      {changed([](gk_request& r) { r.standing = 1, r.ttl_seconds = 5; }),
       "gk_request.standing and ttl_seconds are set: a lease stands, or it ends unless it is renewed"},
      {changed([](gk_request& r) { r.metadata_json = "[1]"; }),
       "gk_request.metadata_json: metadata is [1]; it takes an object of texts"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(allocate(each.request), GK_INVALID) << each.message;
    EXPECT_EQ(gk_last_error(), each.message);
  }
  EXPECT_EQ(gk_allocate(keeper_, nullptr, &lease_, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "gk_request is NULL: give a gk_request");
  const gk_request wanted = request(kGib);
  EXPECT_EQ(gk_allocate(keeper_, &wanted, nullptr, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "gk_lease is NULL: give a gk_lease");
  EXPECT_EQ(gk_release_named(keeper_, "", 0), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "name is empty: give the one that gk_request.name had");
}

TEST_F(LeasesTest, ManyThreadsBookAtOnceAndNothingIsBookedTwice) {
  constexpr int kThreads = 100;
  std::vector<std::uint64_t> ids(kThreads);
  std::vector<std::thread> threads;
  for (auto& id : ids) {
    threads.emplace_back([&id, keeper = static_cast<gk_keeper*>(keeper_)] {
      gk_lease lease{.size = sizeof lease};
      const gk_request wanted = request(std::uint64_t{1} << 20);
      if (gk_allocate(keeper, &wanted, &lease, nullptr) == GK_OK) id = lease.id;
    });
  }
  for (auto& thread : threads) thread.join();
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  EXPECT_GT(ids.front(), 0U);
}

}  // namespace
