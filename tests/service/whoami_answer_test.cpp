#include "service/whoami_answer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gpukeeper::service {
namespace {

using nlohmann::json;

json whoami(const auth::Identity& who, Peer peer = {.address = "127.0.0.1"}, std::vector<Header> headers = {}) {
  Request request;
  request.method = "GET";
  request.path = "/api/v1/whoami";
  request.headers = std::move(headers);
  request.peer = std::make_shared<const Peer>(std::move(peer));
  request.who = who;
  return json::parse(*whoami_route().answer(request).body);
}

TEST(WhoamiAnswerTest, ATokenSaysWhoItIs) {
  const auto answer = whoami({auth::Role::operator_, "token ci (1a2b3c4d)", true, "embedding"}, {.address = "10.0.0.9"},
                             {{"Authorization", "Bearer gk_x"}});
  const json expected = {{"schema", "gpukeeper.whoami/1"},
                         {"role", "operator"},
                         {"name", "token ci (1a2b3c4d)"},
                         {"service", "embedding"},
                         {"how", "token"}};
  EXPECT_EQ(answer, expected);
}

TEST(WhoamiAnswerTest, TheKernelSaysIt) {
  const auto answer = whoami({auth::Role::admin, "root", true}, {.credentials = Credentials{.pid = 7}, .address = ""});
  EXPECT_EQ(answer["how"], "socket");
  EXPECT_EQ(answer["role"], "admin");
  EXPECT_EQ(answer["service"], nullptr);
}

TEST(WhoamiAnswerTest, ABrowserThatSignedIn) {
  EXPECT_EQ(whoami({auth::Role::operator_, "signed in", true})["how"], "cookie");
}

TEST(WhoamiAnswerTest, ACertificateSaysIt) {
  auth::Certificate certificate;
  certificate.common_name = "ci";
  Peer peer{.address = "10.0.0.9", .tls = true};
  peer.certificate = certificate;
  EXPECT_EQ(whoami({auth::Role::viewer, auth::title(certificate), true}, peer)["how"], "certificate");
  EXPECT_EQ(whoami({auth::Role::operator_, "signed in", true}, peer)["how"], "cookie");
}

TEST(WhoamiAnswerTest, AnAddressSaysLittle) {
  EXPECT_EQ(whoami({auth::Role::viewer, "127.0.0.1"})["how"], "loopback");
  const auto stranger = whoami({auth::Role::none, "10.0.0.9"}, {.address = "10.0.0.9"});
  EXPECT_EQ(stranger["how"], "address");
  EXPECT_EQ(stranger["role"], "none");
}

TEST(WhoamiAnswerTest, WhoMayNothingIsToldSo) {
  EXPECT_EQ(whoami_route().role(), auth::Role::none);
}

}  // namespace
}  // namespace gpukeeper::service
