#include "gpukeeper/metrics_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/http_client.hpp"

namespace gpukeeper {
namespace {

using service::HttpClient;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class MetricsServerTest : public testing::Test {
 protected:
  std::string ask(std::string_view request_line) {
    HttpClient client({.host = "127.0.0.1", .port = server.port()});
    if (!client.connected()) return "nobody listens";
    client.send(std::string(request_line) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.receive();
  }
  std::string start(std::string address = "127.0.0.1:0") {
    return server.start(address, [this](std::string& text) {
      text = said;
      return well;
    });
  }

  bool well = true;
  std::string said = "a_metric 1\n";
  MetricsServer server;
};

TEST_F(MetricsServerTest, AnswersTheMetrics) {
  ASSERT_EQ(start(), "");
  const std::string answer = ask("GET /metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\na_metric 1\n"));
}

TEST_F(MetricsServerTest, AnswersWhetherItLives) {
  ASSERT_EQ(start(), "");
  EXPECT_THAT(ask("GET /health"), EndsWith("\r\n\r\n{\"status\":\"ok\"}"));
}

TEST_F(MetricsServerTest, WhatCannotBeSaidIsUnavailable) {
  ASSERT_EQ(start(), "");
  well = false;
  said = "the driver does not answer";
  const std::string answer = ask("GET /metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("the driver does not answer"));
}

TEST_F(MetricsServerTest, IsOnlyRead) {
  ASSERT_EQ(start(), "");
  EXPECT_THAT(ask("GET /"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  const std::string answer = ask("DELETE /metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(MetricsServerTest, APortThatIsTakenIsSaid) {
  ASSERT_EQ(start(), "");
  MetricsServer other;
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  EXPECT_THAT(other.start(address, [](std::string&) { return true; }), HasSubstr(address));
  EXPECT_EQ(other.port(), 0);
}

TEST_F(MetricsServerTest, AnAddressThatIsNoneIsSaid) {
  EXPECT_THAT(start("nowhere"), HasSubstr("nowhere"));
  EXPECT_EQ(start("https://127.0.0.1:0"), "https://127.0.0.1:0: metrics are served without TLS; a proxy can add it");
  EXPECT_EQ(server.port(), 0);
}

TEST_F(MetricsServerTest, StopsAndStartsAgain) {
  ASSERT_EQ(start(), "");
  server.stop();
  EXPECT_EQ(server.port(), 0);
  server.stop();
  ASSERT_EQ(start(), "");
  EXPECT_THAT(ask("GET /metrics"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace gpukeeper
