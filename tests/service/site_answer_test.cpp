#include "service/site_answer.hpp"

#include <array>

#include <gmock/gmock.h>

#include "service/entity_tag.hpp"

namespace gpukeeper::service {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// printf '<!doctype html>hello' | gzip -9 -n, and printf 'hello' | gzip -9 -n
constexpr std::string_view kPage(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\x51\x4c\xc9\x4f\x2e\xa9\x2c\x48\x55\xc8\x28\xc9\xcd\xb1\xcb\x48\xcd"
    "\xc9"
    "\xc9\x07\x00\x9d\x80\x77\x7c\x14\x00\x00\x00",
    40);
constexpr std::string_view kScript(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);

class SiteAnswerTest : public testing::Test {
 protected:
  static Request request(const std::string& path, std::vector<Header> headers = {}) {
    Request result;
    result.method = "GET";
    result.path = result.target = path;
    result.headers = std::move(headers);
    return result;
  }
  Response get(const std::string& path, std::vector<Header> headers = {}) const {
    return router_.answer(request(path, std::move(headers)));
  }

  const std::array<site::File, 2> files_{
      {{"/index.html", "text/html; charset=utf-8", "aa11", kPage, 20},
       {"/assets/a-12345678.js", "text/javascript; charset=utf-8", "bb22", kScript, 5}}};
  const site::Site site_{files_, ""};
  const site::Site none_{{}, "npm was not there"};
  const Router router_{site_routes(site_)};
};

TEST_F(SiteAnswerTest, EveryViewIsThePage) {
  for (const std::string path :
       {"/gpu/0", "/gpu/GPU-aaaa", "/processes", "/leases", "/alerts", "/optimize", "/settings", "/about"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 200U) << path;
    EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(*answer.body, "<!doctype html>hello");
    EXPECT_THAT(answer.headers, Contains(Header("Cache-Control", "no-cache")));
    EXPECT_THAT(answer.headers, Contains(Header("ETag", "W/\"aa11\"")));
    EXPECT_THAT(answer.headers, Contains(Header("Vary", "Accept, Accept-Encoding")));
  }
}

TEST_F(SiteAnswerTest, WhoTakesGzipGetsItAsItLies) {
  const auto answer = get("/leases", {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(*answer.body, kPage);
  EXPECT_THAT(answer.headers, Contains(Header("Content-Encoding", "gzip")));
  EXPECT_THAT(get("/leases").headers, Not(Contains(Header("Content-Encoding", "gzip"))));
}

TEST_F(SiteAnswerTest, WhoHasItIsNotSentItAgain) {
  for (const std::string tag : {"W/\"aa11\"", "\"aa11\"", "\"x\", W/\"aa11\"", "*"}) {
    const auto answer = get("/leases", {{"If-None-Match", tag}});
    EXPECT_EQ(answer.status, 304U) << tag;
    EXPECT_EQ(answer.body, nullptr);
    EXPECT_THAT(answer.headers, Contains(Header("ETag", "W/\"aa11\"")));
    // A browser takes the policy of a 304 in place of the one that it has kept, and a page may load its own files.
    EXPECT_THAT(response_head(answer, "now", true), HasSubstr("Content-Security-Policy: default-src 'self';"));
    EXPECT_THAT(response_head(answer, "now", true), Not(HasSubstr("\nContent-Type")));
  }
  EXPECT_EQ(get("/leases", {{"If-None-Match", "\"bb22\""}}).status, 200U);
}

TEST_F(SiteAnswerTest, WhatThePageIsMadeOfIsKeptForGood) {
  const auto answer = get("/assets/a-12345678.js");
  EXPECT_EQ(answer.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(*answer.body, "hello");
  EXPECT_THAT(answer.headers, Contains(Header("Cache-Control", "public, max-age=31536000, immutable")));
}

TEST_F(SiteAnswerTest, AFileOfAnotherVersionIsNotThere) {
  const auto answer = get("/assets/a-87654321.js");
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(
      *answer.body,
      "{\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\",\"detail\":\"the web page of this version has no "
      "such file: load the page again, and it asks for what there is\"}\n");
  EXPECT_EQ(get("/assets/index.html").status, 404U);  // which is at no such address
  EXPECT_EQ(get("/assets/..").status, 404U);
}

TEST_F(SiteAnswerTest, ThePageIsForWhoeverComes) {
  for (const Route& route : site_routes(site_)) EXPECT_EQ(route.role(), auth::Role::none) << route.pattern;
}

TEST_F(SiteAnswerTest, APageThatWasLeftOutSaysWhy) {
  const auto answer = page_answer(request("/"), none_);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(*answer.body, HasSubstr("<p>Its web page is not here: npm was not there.</p>"));
  EXPECT_THAT(answer.headers, Contains(Header("Cache-Control", "no-store")));
  const Router router(site_routes(none_));
  EXPECT_EQ(router.answer(request("/leases")).status, 200U);
  EXPECT_EQ(router.answer(request("/assets/a-12345678.js")).status, 404U);
}

TEST_F(SiteAnswerTest, BrowsersWantThePageAndProgramsDoNot) {
  const auto wants = [](const std::string& accept) { return wants_page(request("/", {{"Accept", accept}})); };
  EXPECT_TRUE(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_TRUE(wants("application/json;q=0.5, Text/HTML;level=1"));
  EXPECT_FALSE(wants("*/*"));  // curl
  EXPECT_FALSE(wants("application/json"));
  EXPECT_FALSE(wants("text/htmlx"));
  EXPECT_FALSE(wants_page(request("/")));
}

}  // namespace
}  // namespace gpukeeper::service
