#include "service/router.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

using testing::Contains;
using testing::IsEmpty;

Response text(std::string words) {
  return json_answer(200, std::move(words));
}

Router router() {
  return Router(
      {{"GET", "/health", "", [](const Request&) { return text("health"); }},
       {"GET", "/devices/{uuid}", "", [](const Request& r) { return text("one " + r.parameters.at("uuid")); }},
       {"DELETE", "/devices/{uuid}", "", [](const Request&) { return text("gone"); }},
       {"POST", "/devices/{uuid}/links/{n}", "",
        [](const Request& r) { return text(r.parameters.at("uuid") + "+" + r.parameters.at("n")); }}});
}

Response ask(std::string method, std::string path) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.who.role = auth::Role::operator_;
  return router().answer(std::move(request));
}

TEST(RouterTest, ARowIsFoundByMethodAndPath) {
  EXPECT_EQ(*ask("GET", "/health").body, "health");
  EXPECT_EQ(*ask("HEAD", "/health").body, "health");  // the server leaves it out
  EXPECT_EQ(*ask("GET", "/devices/GPU-1").body, "one GPU-1");
  EXPECT_EQ(*ask("DELETE", "/devices/GPU-1").body, "gone");
  EXPECT_EQ(*ask("POST", "/devices/a/links/3").body, "a+3");
}

TEST(RouterTest, OfTwoRowsThatFitTheEarlierAnswers) {
  const auto row = [](std::string_view pattern, std::string words) -> Route {
    return {"GET", pattern, "", [words](const Request&) { return text(words); }};
  };
  Request request;
  request.method = "GET";
  request.path = "/leases/all";
  request.who.role = auth::Role::viewer;
  EXPECT_EQ(*Router({row("/leases/all", "plain"), row("/leases/{id}", "placed")}).answer(request).body, "plain");
  EXPECT_EQ(*Router({row("/leases/{id}", "placed"), row("/leases/all", "plain")}).answer(request).body, "placed");
}

TEST(RouterTest, WhatIsNotThereIsSaidWithWhatIs) {
  for (const std::string path : {"/", "", "/healthy", "/health/", "//health", "/devices", "/devices/", "/devices/a/b",
                                 "/devices//links/3", "/HEALTH", "*x"}) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 404U) << path;
    EXPECT_EQ(answer.content_type, "application/problem+json");
  }
  EXPECT_EQ(
      *ask("GET", "/nothing").body,
      R"({"title":"Not Found","status":404,"code":"not_found","detail":"there is no '/nothing' here: there is only )"
      "/health, /devices/{uuid}, /devices/{uuid}/links/{n}\"}\n");
  Request request;
  request.method = "GET";
  request.path = "/nothing";
  EXPECT_EQ(
      *Router({{"GET", "/", "", [](const Request&) { return text("this list"); }}}).answer(request).body,
      R"({"title":"Not Found","status":404,"code":"not_found","detail":"there is no '/nothing' here: GET / lists )"
      "what there is\"}\n");
}

TEST(RouterTest, AMethodThatThePathDoesNotTakeIsAnsweredWithThoseThatItTakes) {
  const auto answer = ask("PUT", "/devices/a");
  EXPECT_EQ(answer.status, 405U);
  EXPECT_THAT(answer.headers, Contains(Header("Allow", "DELETE, GET, HEAD, OPTIONS")));
  EXPECT_EQ(*answer.body,
            R"({"title":"Method Not Allowed","status":405,"code":"method_not_allowed","detail":"'/devices/a' takes )"
            "DELETE, GET, HEAD, OPTIONS, not PUT\"}\n");
  EXPECT_EQ(ask("TRACE", "/health").status, 405U);
}

TEST(RouterTest, OptionsNamesTheMethodsAndGrantsOtherSitesNothing) {
  const auto answer = ask("OPTIONS", "/health");
  EXPECT_EQ(answer.status, 204U);
  EXPECT_EQ(answer.body, nullptr);
  EXPECT_EQ(answer.headers, (std::vector<Header>{{"Allow", "GET, HEAD, OPTIONS"}}));
  EXPECT_EQ(ask("OPTIONS", "*").headers, (std::vector<Header>{{"Allow", "DELETE, GET, HEAD, OPTIONS, POST"}}));
  EXPECT_EQ(ask("OPTIONS", "/nothing").status, 404U);
}

TEST(RouterTest, AnUnknownMethodIsNotImplemented) {
  const auto answer = ask("BREW", "/health");
  EXPECT_EQ(answer.status, 501U);
  EXPECT_THAT(*answer.body, testing::HasSubstr("'BREW' is no method of HTTP"));
}

TEST(RouterTest, ATableWithTheSameRowTwiceIsAMistake) {
  const Route row = {"GET", "/a", "", [](const Request&) { return Response(); }};
  EXPECT_THROW(Router({row, row}), std::logic_error);
}

TEST(ResponseHeadTest, ItSaysLengthTypeAndWhetherTheConnectionStays) {
  EXPECT_EQ(response_head(text("12345"), "Thu, 28 May 2026 20:26:40 GMT", true),
            "HTTP/1.1 200 OK\r\n"
            "Date: Thu, 28 May 2026 20:26:40 GMT\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: 5\r\n"
            "Cache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Referrer-Policy: no-referrer\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
            "Connection: keep-alive\r\n\r\n");
  Response empty;
  EXPECT_EQ(response_head(empty, "D", false),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\n"
            "Referrer-Policy: no-referrer\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
            "Connection: close\r\n\r\n");
  empty.status = 304;
  EXPECT_THAT(response_head(empty, "D", false), testing::Not(testing::HasSubstr("Content-Length")));
}

TEST(ResponseHeadTest, APageLoadsOnlyWhatIsOursAndMayHaveRulesOfItsOwn) {
  Response page = text("<!doctype html>");
  page.content_type = "text/html; charset=utf-8";
  EXPECT_THAT(response_head(page, "D", true),
              testing::HasSubstr("Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; "
                                 "form-action 'self'; frame-ancestors 'none'\r\n"));
  page.headers.emplace_back("Content-Security-Policy", "default-src 'self' data:");
  const auto head = response_head(page, "D", true, "Strict-Transport-Security: max-age=1\r\n");
  EXPECT_THAT(head, testing::HasSubstr("Content-Security-Policy: default-src 'self' data:\r\n"));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("object-src")));
  EXPECT_THAT(head, testing::HasSubstr("\r\nStrict-Transport-Security: max-age=1\r\n"));
}

TEST(ResponseHeadTest, EveryStatusThatIsSentHasItsWords) {
  for (const unsigned status :
       {200U, 204U, 304U, 400U, 403U, 404U, 405U, 408U, 413U, 417U, 421U, 431U, 500U, 501U, 503U, 505U}) {
    EXPECT_NE(reason_phrase(status), "Unknown") << status;
  }
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace gpukeeper::service
