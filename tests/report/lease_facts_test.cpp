#include "report/lease_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "days.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(LeaseFactsTest, ReadsLeasesThatAreHeldAndThatAreOver) {
  const auto leases = lease_facts(
      R"({"leases":[{"id":"1","service":"a","device":"GPU-a","index":0,"state":"active","min_bytes":5,"peak_bytes":4,
          "created":"2026-05-28T20:26:40Z","changed":"2026-05-28T20:30:00Z"},
         {"id":"2","service":"w","device":null,"state":"waiting","created":"2026-05-28T20:26:40Z"}],
         "ended":[{"id":"3","service":"b","device":"GPU-b","state":"ended","created":"2026-05-28T20:26:40Z",
          "changed":"2026-05-28T20:26:50Z"}]})");
  ASSERT_EQ(leases.size(), 2u);
  EXPECT_EQ(leases[0].id, "1");
  EXPECT_EQ(leases[0].granted, kThen);
  EXPECT_EQ(leases[0].ended, std::nullopt);
  EXPECT_EQ(leases[1].id, "3");
  EXPECT_EQ(leases[1].ended, kThen + 10s);
  EXPECT_FALSE(leases[1].observed);
}

TEST(LeaseFactsTest, WhatIsNoSuchDocumentHasNone) {
  for (const char* text :
       {"", "nonsense", "[]", "{\"leases\":7}", "{\"leases\":[1,null,{}]}", "{\"leases\":{\"a\":1}}"}) {
    EXPECT_TRUE(lease_facts(text).empty()) << text;
    EXPECT_TRUE(advice_on_memory(text).empty()) << text;
  }
}

TEST(LeaseFactsTest, OnlyALargeLeaseThatWasHeldAWhileAndHardlyUsedIsUnderused) {
  const WallTime from = kThen, to = kThen + 2h;
  LeaseFacts lease{.booked_bytes = 40e9, .peak_bytes = 3e9, .observed = true, .granted = kThen + 1h};
  EXPECT_TRUE(is_underused(lease, from, to));
  EXPECT_FALSE(is_underused(lease, from, kThen + 65min)) << "five minutes: it may be loading still";
  lease.peak_bytes = 11e9;
  EXPECT_FALSE(is_underused(lease, from, to));
  lease.peak_bytes = 0;
  lease.observed = false;
  EXPECT_FALSE(is_underused(lease, from, to)) << "nobody looked";
}

TEST(AdviceTest, OfTheMemoryAsItIsNow) {
  const auto advice = advice_on_memory(
      R"({"closed":"the disk is full","waiting":["4"],
          "devices":[{"index":0,"total_bytes":100000000000,"used_bytes":95000000000,
                      "foreign":[{"pid":77,"name":"python3","memory_bytes":21474836480}]}],
          "leases":[{"id":"9","service":"x","index":0,"state":"leaked","observed_bytes":2147483648},
                    {"id":"8","service":"y","index":0,"state":"active","observed_bytes":3221225472,
                     "max_bytes":1073741824,"overused":true}]})");
  std::vector<std::string> sentences;
  for (const Advice& each : advice) sentences.push_back(each.sentence);
  EXPECT_THAT(
      sentences,
      ElementsAre("Nothing is granted now: the disk is full",
                  "GPU 0 is 95 % full: gpukeeper optimize says what can be given back.",
                  "Lease 9 of x is over, and 2.0 GiB of it are still in use on GPU 0: whoever holds them must end "
                  "(gpukeeper ps).",
                  "Lease 8 of y uses 3.0 GiB and may use 1.0 GiB: book more for it, or have it use less.",
                  "GPU 0: python3 (77) uses 20.0 GiB without a lease. Started with gpukeeper run --memory, it would "
                  "be counted for what it is.",
                  "A request waits for room: gpukeeper plan SIZE says what would have to go."));
}

}  // namespace
}  // namespace gpukeeper::report
