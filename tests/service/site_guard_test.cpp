#include "service/site_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

Request over_tcp(std::string method, std::vector<Header> headers) {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  auto peer = std::make_shared<Peer>();
  peer->address = "127.0.0.1";
  peer->own_address = "10.1.2.3";
  request.peer = peer;
  return request;
}

Request over_unix(std::string method, std::vector<Header> headers) {
  Request request = over_tcp(std::move(method), std::move(headers));
  auto peer = std::make_shared<Peer>();
  peer->credentials = Credentials{1, 0, 0};
  request.peer = peer;
  return request;
}

// The status of the refusal; 0 when it may pass.
unsigned refused(const Request& request) {
  const auto refusal = SiteGuard({"gpu-box.example"}).refuse(request);
  return refusal ? refusal->status : 0;
}

TEST(SiteGuardTest, OverTcpOnlyOurOwnNamesAreServed) {
  for (const std::string host : {"localhost", "LOCALHOST:8737", "localhost.", "127.0.0.1:8737", "127.9.9.9",
                                 "[::1]:8737", "[::1]", "10.1.2.3:80", "gpu-box.example", "GPU-BOX.example:1"}) {
    EXPECT_EQ(refused(over_tcp("GET", {{"Host", host}})), 0U) << host;
  }
  for (const std::string host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.1.2.4", "", ":80", "[::1", "[::2]",
        "localhost:port", "localhost:99999", "a b", "127.0.0.1:80:80", "0x7f.1"}) {
    EXPECT_EQ(refused(over_tcp("GET", {{"Host", host}})), 421U) << host;
  }
  EXPECT_EQ(refused(over_tcp("GET", {})), 0U);  // HTTP/1.0
}

TEST(SiteGuardTest, TheRefusalSaysWhatWouldBeServed) {
  const auto refusal = SiteGuard({}).refuse(over_tcp("GET", {{"Host", "evil\x1b.example"}}));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(
      *refusal->body,
      R"({"title":"Misdirected Request","status":421,"code":"host_not_served","detail":"the host 'evil?.example' )"
      "is not served here: it must be localhost, the address that you connect to, or stand under 'hosts' in the "
      "configuration\"}\n");
}

TEST(SiteGuardTest, OverTlsTheBrowserHasComparedTheNameAndPagesOfOursAreHttps) {
  const auto over_tls = [](std::string method, std::vector<Header> headers) {
    Request request = over_tcp(std::move(method), std::move(headers));
    auto peer = std::make_shared<Peer>(*request.peer);
    peer->tls = true;
    request.peer = std::move(peer);
    return request;
  };
  EXPECT_EQ(refused(over_tls("GET", {{"Host", "gpu7.example:7910"}})), 0U);
  EXPECT_EQ(refused(over_tls("POST", {{"Host", "gpu7.example"}, {"Origin", "https://gpu7.example"}})), 0U);
  EXPECT_EQ(refused(over_tls("POST", {{"Host", "gpu7.example"}, {"Origin", "http://gpu7.example"}})), 403U);
  EXPECT_EQ(refused(over_tls("POST", {{"Host", "gpu7.example"}, {"Origin", "https://evil.example"}})), 403U);
  EXPECT_EQ(refused(over_tcp("POST", {{"Host", "localhost"}, {"Origin", "https://localhost"}})), 403U);
}

TEST(SiteGuardTest, OverAUnixSocketAnyHostWillDo) {
  EXPECT_EQ(refused(over_unix("GET", {{"Host", "x"}})), 0U);
}

TEST(SiteGuardTest, APageOfAnotherSiteMayNotListen) {
  EXPECT_EQ(refused(over_tcp("GET", {{"Host", "localhost:8737"}, {"Upgrade", "websocket"}})), 0U);
  EXPECT_EQ(refused(over_tcp(
                "GET", {{"Host", "localhost:8737"}, {"Upgrade", "websocket"}, {"Origin", "http://localhost:8737"}})),
            0U);
  EXPECT_EQ(refused(over_tcp(
                "GET", {{"Host", "localhost:8737"}, {"Upgrade", "websocket"}, {"Origin", "https://evil.example"}})),
            403U);
}

TEST(SiteGuardTest, APageOfAnotherSiteMayReadNothingAndChangeNothing) {
  const Header host = {"Host", "localhost:8737"};
  EXPECT_EQ(refused(over_tcp("POST", {host})), 0U);  // no browser
  EXPECT_EQ(refused(over_tcp("POST", {host, {"Origin", "http://localhost:8737"}})), 0U);
  EXPECT_EQ(refused(over_tcp("POST", {host, {"Sec-Fetch-Site", "same-origin"}})), 0U);
  EXPECT_EQ(refused(over_tcp("POST", {host, {"Sec-Fetch-Site", "none"}})), 0U);

  EXPECT_EQ(refused(over_tcp("POST", {host, {"Origin", "http://evil.example"}})), 403U);
  EXPECT_EQ(refused(over_tcp("DELETE", {host, {"Origin", "null"}})), 403U);
  EXPECT_EQ(refused(over_tcp("PUT", {host, {"Origin", "http://localhost:8000"}})), 403U);
  EXPECT_EQ(refused(over_tcp("POST", {host, {"Sec-Fetch-Site", "cross-site"}})), 403U);
  EXPECT_EQ(refused(over_tcp("GET", {host, {"Sec-Fetch-Site", "cross-site"}})), 403U);
  EXPECT_EQ(refused(over_tcp("GET", {host, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}})), 0U)
      << "a link leads here from anywhere";
  EXPECT_EQ(refused(over_tcp("POST", {host, {"Sec-Fetch-Site", "same-site"}})), 403U);
  EXPECT_EQ(refused(over_unix("POST", {{"Host", "x"}, {"Origin", "http://evil.example"}})), 403U);
  EXPECT_EQ(refused(over_tcp("GET", {host, {"Origin", "http://evil.example"}})), 0U);  // the browser keeps the answer
}

}  // namespace
}  // namespace gpukeeper::service
