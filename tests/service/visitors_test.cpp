#include "service/visitors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_clock.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

Request from(const std::string& address, std::string path = "/metrics") {
  Request request;
  request.path = std::move(path);
  auto peer = std::make_shared<Peer>();
  peer->address = address;
  request.peer = std::move(peer);
  request.who = {.role = auth::Role::viewer, .name = address};
  return request;
}

class VisitorsTest : public testing::Test {
 protected:
  // How many of a hundred pass.
  int pass(const Request& request) {
    int count = 0;
    for (int i = 0; i < 100; ++i) count += visitors_.refuse(request) ? 0 : 1;
    return count;
  }
  FakeClock clock_;
  Visitors visitors_{60, clock_};
};

TEST_F(VisitorsTest, FromBeyondThisMachineSixtyAMinute) {
  EXPECT_EQ(pass(from("10.0.0.9")), 60);
  const auto refusal = visitors_.refuse(from("10.0.0.9"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 429u);
  EXPECT_THAT(refusal->headers, Contains(Header("Retry-After", "1")));
  EXPECT_EQ(nlohmann::json::parse(*refusal->body)["detail"],
            "60 requests a minute are answered of an address without a token: try again in 1 s, or send a token, which "
            "'gpukeeper token create' makes");
  clock_.advance(10s);
  EXPECT_EQ(pass(from("10.0.0.9")), 10);
}

TEST(WelcomeTest, WithoutAListEverybodyMayConnect) {
  EXPECT_TRUE(is_welcome(*from("203.0.113.9").peer, {}));
}

TEST(WelcomeTest, OfOtherMachinesThoseThatAreListed) {
  const std::vector<auth::Network> allowed = {*auth::Network::parse("10.0.0.0/8")};
  EXPECT_TRUE(is_welcome(*from("10.1.2.3").peer, allowed));
  EXPECT_FALSE(is_welcome(*from("203.0.113.9").peer, allowed));
  EXPECT_TRUE(is_welcome(*from("127.0.0.1").peer, allowed)) << "this machine itself always may";
  Peer local;
  local.credentials = Credentials{};
  EXPECT_TRUE(is_welcome(local, allowed));
}

TEST_F(VisitorsTest, WhoIsKnownOrOfThisMachineAsksAsOftenAsHeLikes) {
  Request known = from("10.0.0.9");
  known.who.known = true;
  EXPECT_EQ(pass(known), 100);
  EXPECT_EQ(pass(from("127.0.0.1")), 100);
  EXPECT_EQ(pass(from("::1")), 100);
  Request here = from("");
  auto peer = std::make_shared<Peer>();
  peer->credentials = Credentials{7, 1000, 100};
  here.peer = std::move(peer);
  EXPECT_EQ(pass(here), 100);
}

TEST_F(VisitorsTest, ASupervisorIsNeverRefused) {
  EXPECT_EQ(pass(from("10.0.0.9", "/health")), 100);
  EXPECT_EQ(pass(from("10.0.0.9", "/ready")), 100);
}

TEST_F(VisitorsTest, ItIsConfigured) {
  visitors_.configure(5);
  EXPECT_EQ(pass(from("10.0.0.9")), 5);
  visitors_.configure(0);
  EXPECT_EQ(pass(from("10.0.0.9")), 100);
}

TEST_F(VisitorsTest, OfIpv6ThoseOfOneNetworkAreOne) {
  EXPECT_EQ(visitor_of("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::");
  EXPECT_EQ(visitor_of("2001:db8:1:2:bbbb::2"), "2001:db8:1:2::");
  EXPECT_EQ(visitor_of("2001:db8:1:3::1"), "2001:db8:1:3::");
  EXPECT_EQ(visitor_of("::ffff:10.0.0.9"), "::ffff:10.0.0.9");
  EXPECT_EQ(visitor_of("10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(pass(from("2001:db8::1")), 60);
  EXPECT_EQ(pass(from("2001:db8::2")), 0);
}

}  // namespace
}  // namespace gpukeeper::service
