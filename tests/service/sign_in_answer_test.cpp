#include "service/sign_in_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "service/authority.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using auth::Role;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class SignInAnswerTest : public testing::Test {
 protected:
  static Request from(const std::string& address, bool tls = false) {
    Request request;
    request.method = "GET";
    auto peer = std::make_shared<Peer>();
    peer->address = address;
    peer->tls = tls;
    request.peer = std::move(peer);
    return request;
  }
  static Request with_code(std::string code, std::string method = "GET", bool tls = false) {
    Request request = from("127.0.0.1", tls);
    request.method = std::move(method);
    request.query["code"] = std::move(code);
    return request;
  }
  static Request with_cookie(const std::string& cookie, std::string method = "GET", std::vector<Header> headers = {}) {
    Request request = from("127.0.0.1");
    request.method = std::move(method);
    request.headers = std::move(headers);
    request.headers.emplace_back("Cookie", cookie);
    request.headers.emplace_back("Host", "localhost:8737");
    return request;
  }
  std::string code() { return sessions_.make_code(Role::operator_, clock_.wall()).value(); }
  // Signs in; "gpukeeper_session=…".
  std::string cookie() {
    const auto response = answer_.answer(with_code(code()));
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") return value.substr(0, value.find(';'));
    }
    return {};
  }
  Role role(const Request& request) { return authority_.who(request).value().role; }

  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  auth::SignIn sessions_;
  SignInAnswer answer_{sessions_, clock_, log_};
  Authority authority_{AuthRules{}, [] { return std::make_shared<const std::vector<auth::Token>>(); }, clock_, log_,
                       &sessions_};
};

TEST_F(SignInAnswerTest, TheLinkWorksOnceAndGivesACookieThatNoScriptReads) {
  const auto once = code();
  const auto first = answer_.answer(with_code(once));
  EXPECT_EQ(first.status, 303u);
  EXPECT_THAT(first.headers, Contains(Header("Location", "/")));
  EXPECT_THAT(first.headers, Contains(Header("Cache-Control", "no-store")));
  EXPECT_THAT(first.headers,
              Contains(Pair("Set-Cookie", testing::MatchesRegex("gpukeeper_session=gk_[0-9a-f]{64}; Path=/; "
                                                                "Max-Age=43200; HttpOnly; SameSite=Strict"))));
  const auto second = answer_.answer(with_code(once));
  EXPECT_EQ(second.status, 403u);
  EXPECT_EQ(nlohmann::json::parse(*second.body)["detail"],
            "the link has been used, or is older than 10 minutes: 'gpukeeper serve --sign-in-link' says one at its "
            "start");
  EXPECT_THAT(answer_.answer(with_code(code(), "GET", true)).headers,
              Contains(Pair("Set-Cookie", HasSubstr("; SameSite=Strict; Secure"))));
}

TEST_F(SignInAnswerTest, WhoOnlyLooksAtTheLinkUsesNothingUp) {
  const auto once = code();
  EXPECT_EQ(answer_.answer(with_code(once, "HEAD")).status, 200u);
  EXPECT_EQ(answer_.answer(with_code(once)).status, 303u);
  EXPECT_EQ(answer_.answer(from("127.0.0.1")).status, 400u);
}

TEST_F(SignInAnswerTest, WhoGuessesIsSoonLeft) {
  Response last;
  for (int i = 0; i < 11; ++i) last = answer_.answer(with_code("gk_0"));
  EXPECT_EQ(last.status, 429u);
  EXPECT_TRUE(last.close);
  EXPECT_THAT(lines_->take(), Contains("warning: a wrong sign-in code from 127.0.0.1"));
  EXPECT_EQ(answer_.answer(with_code(code())).status, 303u);  // a right one counts always
}

TEST_F(SignInAnswerTest, TheCookieIsAnOperatorUntilItEnds) {
  const auto session = cookie();
  EXPECT_EQ(role(with_cookie(session)), Role::operator_);
  EXPECT_EQ(role(with_cookie("a=b; " + session + "; c=d")), Role::operator_);
  EXPECT_EQ(role(with_cookie("x" + session)), Role::viewer);
  EXPECT_EQ(role(with_cookie("gpukeeper_session=gk_0")), Role::viewer);
  clock_.advance(12h);
  EXPECT_EQ(role(with_cookie(session)), Role::viewer);
}

TEST_F(SignInAnswerTest, AChangeByCookieSaysThatItIsOfOurOwnPage) {
  const auto session = cookie();
  EXPECT_EQ(role(with_cookie(session, "POST", {{"Origin", "http://localhost:8737"}})), Role::operator_);
  EXPECT_EQ(role(with_cookie(session, "POST", {{"Sec-Fetch-Site", "same-origin"}})), Role::operator_);
  EXPECT_EQ(role(with_cookie(session, "POST")), Role::viewer);
  EXPECT_EQ(role(with_cookie(session, "POST", {{"Origin", "https://dashboard.example"}})), Role::viewer);
  EXPECT_EQ(role(with_cookie(session, "GET", {{"Origin", "https://dashboard.example"}})), Role::viewer);
}

}  // namespace
}  // namespace gpukeeper::service
