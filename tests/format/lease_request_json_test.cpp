#include "format/lease_request_json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::string& json) {
  const auto wish = parse_lease_wish(json);
  EXPECT_FALSE(wish) << json;
  return wish ? "" : wish.error().message;
}

TEST(LeaseRequestJsonTest, EveryMemberIsRead) {
  const auto wish = parse_lease_wish(R"({
    "service": "embedding", "min_bytes": 4294967296, "max_bytes": 9007199254740991, "name": "m1", "request_id": "7f3a",
    "device": "0:1", "require_device": true, "devices": 8, "exclusive": true, "priority": -100, "strategy": "best_fit",
    "owner": "process", "pid": 4242, "lifetime_seconds": 3600, "wait_seconds": 0.5,
    "metadata": {"model": "bge-m3", "": "\u0000"}})");
  ASSERT_TRUE(wish) << wish.error().message;
  LeaseRequest expected;
  expected.service = "embedding";
  expected.min = 4096_MiB;
  expected.max = Bytes(kMostLeaseBytes);
  expected.name = "m1";
  expected.request_id = "7f3a";
  expected.device = "0:1";
  expected.require_device = true;
  expected.devices = 8;
  expected.exclusive = true;
  expected.priority = -100;
  expected.strategy = Strategy::best_fit;
  expected.lifetime = 1h;
  expected.wait = 500ms;
  expected.metadata = {{"model", "bge-m3"}, {"", std::string(1, '\0')}};
  EXPECT_EQ(wish->request, expected);
  EXPECT_EQ(wish->owner, LeaseWish::Owner::process);
  EXPECT_EQ(wish->pid, 4242);
  EXPECT_FALSE(wish->ttl);
}

TEST(LeaseRequestJsonTest, WhatIsNotSaidOrNullIsLeftToTheLedger) {
  const auto wish = parse_lease_wish(R"({"service": "a", "min_bytes": 1, "max_bytes": null, "wait_seconds": 0})");
  ASSERT_TRUE(wish);
  LeaseRequest expected;
  expected.service = "a";
  expected.min = Bytes(1);
  EXPECT_EQ(wish->request, expected);  // who waits 0 s is refused at once
  EXPECT_EQ(wish->owner, LeaseWish::Owner::standing);
  const auto beating = parse_lease_wish(R"({"owner": "heartbeat", "ttl_seconds": 2.5})");
  EXPECT_EQ(beating->ttl, 2500ms);
}

TEST(LeaseRequestJsonTest, WhatCannotBeIsRefusedWithMemberValueAndRule) {
  constexpr const char* kNoObject =
      R"(the body must be a JSON object such as {"service": "embedding", "min_bytes": 1073741824})";
  constexpr const char* kDeep =
      "the body is nested too deeply; members are numbers, texts and flags, metadata holds texts";
  const struct {
    std::string json;
    std::string message;
  } cases[] = {
      {"", kNoObject},
      {"[1]", kNoObject},
      {"{\"service\": \"\xff\"}", kNoObject},
      {R"({"min_bytes": NaN})", kNoObject},
      {R"({"min_bytes": 1e999})", kNoObject},
      {R"({"min_bytes": 1} {})", kNoObject},
      {R"({"min_bytes": -5})", "min_bytes is -5; it takes a whole number of bytes from 0 to 9007199254740991"},
      {R"({"min_bytes": 1.5})", "min_bytes is 1.5; it takes a whole number of bytes from 0 to 9007199254740991"},
      {R"({"max_bytes": 9007199254740992})",
       "max_bytes is 9007199254740992; it takes a whole number of bytes from 0 to 9007199254740991"},
      {R"({"max_bytes": 99999999999999999999})",
       "max_bytes is 1e+20; it takes a whole number of bytes from 0 to 9007199254740991"},
      {R"({"min_bytes": "4GiB"})",
       "min_bytes is \"4GiB\"; it takes a whole number of bytes from 0 to 9007199254740991"},
      {R"({"service": 7})", "service is 7; it takes a text"},
      {R"({"name": ["\u001b[2J"]})", "name is [\"\\u001b[2J\"]; it takes a text"},
      {R"({"device": 0})", "device is 0; it takes an index, a UUID or a PCI address, as a text"},
      {R"({"exclusive": 1})", "exclusive is 1; it takes true or false"},
      {R"({"devices": 0})", "devices is 0; it takes a whole number from 1 to 1024"},
      {R"({"devices": 1025})", "devices is 1025; it takes a whole number from 1 to 1024"},
      {R"({"priority": 101})", "priority is 101; it takes a whole number from -100 to 100"},
      {R"({"priority": -101})", "priority is -101; it takes a whole number from -100 to 100"},
      {R"({"strategy": "best"})", "strategy is \"best\"; it takes most_free, best_fit, spread, pack or coolest"},
      {R"({"owner": "me"})", "owner is \"me\"; it takes standing, process, connection or heartbeat"},
      {R"({"owner": "process", "pid": 0})", "pid is 0; it takes a whole number from 1 to 4194304"},
      {R"({"pid": 1})", "pid names the process of an owner \"process\", and of no other"},
      {R"({"owner": "heartbeat"})",
       "ttl_seconds says how soon an owner \"heartbeat\" is given up: one comes with the other"},
      {R"({"ttl_seconds": 5})",
       "ttl_seconds says how soon an owner \"heartbeat\" is given up: one comes with the other"},
      {R"({"ttl_seconds": 0.01})", "ttl_seconds is 0.01; it takes seconds from 0.1 to 2678400"},
      {R"({"wait_seconds": -1})", "wait_seconds is -1; it takes seconds from 0 to 86400"},
      {R"({"wait_seconds": 1e300})", "wait_seconds is 1e+300; it takes seconds from 0 to 86400"},
      {R"({"lifetime_seconds": "1h"})", "lifetime_seconds is \"1h\"; it takes seconds from 0.1 to 316224000"},
      {R"({"metadata": {"a": 1}})", "metadata is {\"a\":1}; it takes an object of texts"},
      {R"({"metadata": {"a": {"b": {}}}})", kDeep},
      {R"({"service": "a", "service": "b"})", "service stands twice in the body"},
      {R"({"sevice": "a"})",
       "'sevice' is not known here; known are service, min_bytes, max_bytes, name, request_id, device, require_device, "
       "devices, exclusive, priority, strategy, owner, pid, ttl_seconds, lifetime_seconds, wait_seconds, metadata"},
  };
  for (const auto& [json, message] : cases) EXPECT_EQ(refusal(json), message) << json;
  EXPECT_EQ(refusal("{\"metadata\": " + std::string(30'000, '[') + std::string(30'000, ']') + "}"), kDeep);
  std::string many = "{\"metadata\": {";
  for (int i = 0; i < 300; ++i) many += "\"" + std::to_string(i) + "\": \"\", ";
  EXPECT_EQ(refusal(many + "\"last\": \"\"}}"), "the body has more than 256 members");
}

TEST(LeaseRequestJsonTest, NewTermsNeedTheGuaranteedSize) {
  const auto terms = parse_lease_terms(R"({"min_bytes": 0, "max_bytes": 1024, "generation": 3})");
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->min, Bytes(0));
  EXPECT_EQ(terms->max, Bytes(1024));
  EXPECT_EQ(terms->generation, 3u);
  EXPECT_EQ(parse_lease_terms("{}").error().message, "min_bytes is missing: what the lease is to be guaranteed");
  EXPECT_EQ(parse_lease_terms(R"({"min_bytes": 1, "generation": 4294967296})").error().message,
            "generation is 4294967296; it takes a whole number from 1 to 4294967295");
  EXPECT_EQ(parse_lease_terms(R"({"service": "a"})").error().message,
            "'service' is not known here; known are min_bytes, max_bytes, generation");
}

}  // namespace
}  // namespace gpukeeper
