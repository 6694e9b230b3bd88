#include "service/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using auth::Role;
using testing::Contains;

constexpr uid_t kOwner = 1000;
constexpr gid_t kAdmins = 2001;
constexpr gid_t kOperators = 2002;

class AuthorityTest : public testing::Test {
 protected:
  std::string token(Role role, std::string name, std::string service = {},
                    std::optional<WallTime> expires = std::nullopt) {
    auto made =
        auth::make_token({.role = role, .name = std::move(name), .service = std::move(service), .expires = expires},
                         auth::system_random);
    auto more = *tokens_;
    more.push_back(made->token);
    tokens_ = std::make_shared<const std::vector<auth::Token>>(std::move(more));
    return made->secret;
  }
  static Request over_tcp(const std::string& address, std::string authorization = {}) {
    Request request;
    auto peer = std::make_shared<Peer>();
    peer->address = address;
    request.peer = std::move(peer);
    if (!authorization.empty()) request.headers = {{"Authorization", std::move(authorization)}};
    return request;
  }
  static Request over_socket(uid_t uid, gid_t gid = 100, std::vector<gid_t> groups = {}) {
    Request request;
    auto peer = std::make_shared<Peer>();
    peer->credentials = Credentials{7, uid, gid, 70, std::move(groups)};
    request.peer = std::move(peer);
    return request;
  }
  static Request over_tls(const std::string& address, auth::Certificate certificate) {
    Request request = over_tcp(address);
    auto peer = std::make_shared<Peer>(*request.peer);
    peer->tls = true;
    peer->certificate = std::move(certificate);
    request.peer = std::move(peer);
    return request;
  }
  Role role(const Request& request) { return authority_.who(request).value().role; }
  static std::string detail(const Response& response) {
    return nlohmann::json::parse(*response.body)["detail"].get<std::string>();
  }

  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  AuthRules rules_{.own_uid = kOwner, .admins = {kAdmins}, .operators = {kOperators}};
  std::shared_ptr<const std::vector<auth::Token>> tokens_ = std::make_shared<const std::vector<auth::Token>>();
  Authority authority_{rules_, [this] { return tokens_; }, clock_, log_};
};

TEST_F(AuthorityTest, OverTheSocketTheKernelSaysWhoItIs) {
  EXPECT_EQ(role(over_socket(0)), Role::admin);
  EXPECT_EQ(role(over_socket(kOwner)), Role::admin);
  EXPECT_EQ(role(over_socket(1001)), Role::viewer);
  EXPECT_EQ(role(over_socket(1001, kAdmins)), Role::admin);
  EXPECT_EQ(role(over_socket(1001, 100, {5, kAdmins})), Role::admin);
  EXPECT_EQ(role(over_socket(1001, 100, {kOperators})), Role::operator_);
  const auto who = authority_.who(over_socket(1001)).value();
  EXPECT_EQ(who.name, "user 1001");
  EXPECT_TRUE(who.known);
  EXPECT_EQ(authority_.who(over_socket(0)).value().name, "root");
}

TEST_F(AuthorityTest, OverTcpOnlyThisMachineLooksWithoutAToken) {
  for (const std::string here : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(role(over_tcp(here)), Role::viewer) << here;
  }
  for (const std::string there : {"10.0.0.9", "128.0.0.1", "2001:db8::1", "::ffff:10.0.0.9", ""}) {
    EXPECT_EQ(role(over_tcp(there)), Role::none) << there;
  }
  EXPECT_FALSE(authority_.who(over_tcp("127.0.0.1")).value().known);
  rules_.loopback = Role::operator_;
  rules_.elsewhere = Role::viewer;
  authority_.configure(rules_);
  EXPECT_EQ(role(over_tcp("127.0.0.1")), Role::operator_);
  EXPECT_EQ(role(over_tcp("10.0.0.9")), Role::viewer);
}

TEST_F(AuthorityTest, ATokenSaysWhoItIsWhereverItComesFrom) {
  const auto ci = token(Role::operator_, "ci", "embedding");
  for (const Request& request : {over_tcp("10.0.0.9", "Bearer " + ci), over_tcp("10.0.0.9", "bearer  " + ci + " ")}) {
    const auto who = authority_.who(request).value();
    EXPECT_EQ(who.role, Role::operator_);
    EXPECT_EQ(who.name, "token ci (" + tokens_->front().id + ")");
    EXPECT_EQ(who.service, "embedding");
    EXPECT_TRUE(who.known);
  }
  Request root = over_socket(0);
  root.headers = {{"Authorization", "Bearer " + token(Role::viewer, "less")}};
  EXPECT_EQ(role(root), Role::viewer);  // who sends one wants no more than it gives
}

TEST_F(AuthorityTest, ACertificateSaysWhoItIsByItsRule) {
  const auth::Certificate ci{.common_name = "ci",
                             .names = {"DNS:ci.example"},
                             .fingerprint = std::string(64, 'a'),
                             .expires = clock_.wall() + 1h};
  EXPECT_EQ(role(over_tls("10.0.0.9", ci)), Role::none);
  rules_.certificates = {{.san = "ci.example", .role = Role::operator_, .service = "embedding"},
                         {.common_name = "ops", .role = Role::admin}};
  authority_.configure(rules_);
  const auto who = authority_.who(over_tls("10.0.0.9", ci)).value();
  EXPECT_EQ(who.role, Role::operator_);
  EXPECT_EQ(who.name, "certificate ci (aaaaaaaa)");
  EXPECT_EQ(who.service, "embedding");
  EXPECT_TRUE(who.known);
  auto ops = ci;
  ops.common_name = "ops";
  ops.names.clear();
  EXPECT_EQ(role(over_tls("10.0.0.9", ops)), Role::admin);
  EXPECT_FALSE(authority_.who(over_tls("10.0.0.9", ops)).value().service);
  clock_.advance(1h);
  EXPECT_EQ(role(over_tls("10.0.0.9", ops)), Role::none);  // its connection lives, but it has expired
}

TEST_F(AuthorityTest, ACertificateThatNobodyWasToldOfIsToldSo) {
  auto request = over_tls(
      "10.0.0.9",
      {.common_name = "x\x1b", .names = {}, .fingerprint = std::string(64, 'b'), .expires = clock_.wall() + 1h});
  request.who = authority_.who(request).value();
  const auto refusal = refuse(request, Role::viewer, Own::none);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 403u);
  EXPECT_EQ(detail(*refusal),
            "this takes the role viewer, and certificate x? (bbbbbbbb) has none: a line of auth.certificates in the "
            "configuration gives a certificate its role");
  // On this machine it is worth no less than none.
  auto here = over_tls("127.0.0.1", *request.peer->certificate);
  EXPECT_EQ(role(here), Role::viewer);
  here.headers = {{"Authorization", "Bearer " + token(Role::admin, "a")}};
  EXPECT_EQ(role(here), Role::admin);
}

TEST_F(AuthorityTest, AWrongTokenIsToldWhatWouldBeRight) {
  const auto good = token(Role::admin, "a");
  for (const std::string& wrong : {std::string("Bearer gk_0"), std::string("Bearer "), "Bearer " + good + "0",
                                   std::string("Bearer \xff\x00\x1b", 10)}) {
    Request request = over_tcp("127.0.0.1", wrong);
    const auto who = authority_.who(request);
    ASSERT_FALSE(who) << wrong;
    EXPECT_EQ(who.error().status, 401u);
    EXPECT_THAT(who.error().headers, Contains(Header("WWW-Authenticate", "Bearer")));
    EXPECT_EQ(detail(who.error()),
              "the token is none that counts: it is wrong, has expired or was revoked; 'gpukeeper token create' makes "
              "one; send it as 'Authorization: Bearer TOKEN', or ask over the unix socket");
  }
  EXPECT_THAT(lines_->take(), Contains("warning: a wrong token from 127.0.0.1"));
}

TEST_F(AuthorityTest, WhatIsNoTokenIsAsGoodAsNothing) {
  const auto good = token(Role::admin, "a");
  for (const std::string& other : {"Basic " + good, good, "Bearer" + good, std::string("Bearer")}) {
    EXPECT_EQ(role(over_tcp("127.0.0.1", other)), Role::viewer) << other;
    EXPECT_EQ(role(over_tcp("10.0.0.9", other)), Role::none) << other;
  }
}

TEST_F(AuthorityTest, ATokenCountsUntilItExpiresOrIsRevoked) {
  const auto secret = token(Role::viewer, "a", "", clock_.wall() + 10s);
  const Request request = over_tcp("10.0.0.9", "Bearer " + secret);
  EXPECT_TRUE(authority_.who(request));
  clock_.advance(10s);
  EXPECT_FALSE(authority_.who(request));
  const Request other = over_tcp("10.0.0.9", "Bearer " + token(Role::viewer, "b"));
  EXPECT_TRUE(authority_.who(other));
  tokens_ = std::make_shared<const std::vector<auth::Token>>();
  EXPECT_FALSE(authority_.who(other));
}

TEST_F(AuthorityTest, WhoStaysIsHeThatCameAsLongAsHisTokenCounts) {
  Request request = over_tcp("10.0.0.9", "Bearer " + token(Role::viewer, "a", "", clock_.wall() + 10s));
  request.who = authority_.who(request).value();
  EXPECT_TRUE(authority_.still_is(request));
  clock_.advance(10s);
  EXPECT_FALSE(authority_.still_is(request));
  EXPECT_THAT(lines_->take(), testing::IsEmpty());  // nobody guesses: it is no failed login
  Request local = over_socket(7, kOperators);
  local.who = authority_.who(local).value();
  EXPECT_TRUE(authority_.still_is(local));
  rules_.operators.clear();
  authority_.configure(rules_);
  EXPECT_FALSE(authority_.still_is(local));  // he is a viewer now
}

TEST_F(AuthorityTest, ATokenIsLookedForOnceMoreBeforeItIsRefused) {
  const auto made = token(Role::admin, "fresh");
  auto later = std::exchange(tokens_, std::make_shared<const std::vector<auth::Token>>());
  const Authority::Tokens known = [this] { return tokens_; };
  Authority authority(rules_, known, clock_, log_, nullptr, [&] { tokens_ = later; });
  EXPECT_EQ(authority.who(over_tcp("10.0.0.9", "Bearer " + made)).value().role, Role::admin);
  EXPECT_EQ(authority.who(over_tcp("10.0.0.9", "Bearer gk_wrong")).error().status, 401u);
  EXPECT_EQ(lines_->take().size(), 1u);
}

TEST_F(AuthorityTest, WhoGuessesIsSoonAnsweredShortAndShutsNobodyElseOut) {
  const Request good = over_tcp("10.0.0.9", "Bearer " + token(Role::viewer, "a"));
  const Request wrong = over_tcp("10.0.0.9", "Bearer gk_1");
  for (std::size_t i = 0; i < auth::FailedLogins::kMost; ++i) EXPECT_EQ(authority_.who(wrong).error().status, 401u);
  const auto refused = authority_.who(wrong);
  EXPECT_EQ(refused.error().status, 429u);
  EXPECT_TRUE(refused.error().close);
  EXPECT_THAT(refused.error().headers, Contains(Header("Retry-After", "60")));
  EXPECT_EQ(
      detail(refused.error()),
      "more than 10 wrong tokens came from 10.0.0.9 within a minute: look at the token, and try again in a minute");
  EXPECT_EQ(authority_.who(over_tcp("10.0.0.8", "Bearer gk_1")).error().status, 401u);
  EXPECT_TRUE(authority_.who(good));
  clock_.advance(60s);
  EXPECT_EQ(authority_.who(wrong).error().status, 401u);
}

TEST_F(AuthorityTest, OtherMachinesAreToldThatATokenIsNeeded) {
  Request request = over_tcp("10.0.0.9");
  request.who = authority_.who(request).value();
  const auto refused = refuse(request, Role::viewer, Own::none);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401u);
  EXPECT_EQ(detail(*refused),
            "other machines are answered with a token only: 'gpukeeper token create' makes one; send it as "
            "'Authorization: Bearer TOKEN', or ask over the unix socket");
}

TEST_F(AuthorityTest, WhoIsVouchedForMayWhatIsHisOwnUnlessHeSendsAToken) {
  Request request = over_socket(1001);
  request.who = authority_.who(request).value();
  EXPECT_FALSE(refuse(request, Role::operator_, Own::user));
  EXPECT_EQ(refuse(request, Role::operator_, Own::service)->status, 403u);
  request.headers = {{"Authorization", "Bearer " + token(Role::viewer, "see")}};
  request.who = authority_.who(request).value();
  EXPECT_EQ(detail(*refuse(request, Role::operator_, Own::user)),
            "this takes the role operator, and token see (" + tokens_->front().id +
                ") has viewer: 'gpukeeper token create --role operator' makes a token that may");
}

TEST_F(AuthorityTest, CommandLinesAreForAdminsOfEverything) {
  EXPECT_TRUE(may_read_command_lines({.role = Role::admin}));
  EXPECT_FALSE(may_read_command_lines({.role = Role::operator_}));
  EXPECT_FALSE(may_read_command_lines({.role = Role::admin, .service = "embedding"}));
}

}  // namespace
}  // namespace gpukeeper::service
