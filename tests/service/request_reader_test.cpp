#include "service/request_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/target.hpp"

namespace gpukeeper::service {
namespace {

using State = RequestReader::State;
using testing::HasSubstr;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

// What becomes of some bytes when they come `step` at a time.
struct Outcome {
  std::vector<Request> requests;
  State state = State::reading;
  Response refusal;
  std::string rest;
};

Outcome read(std::string_view bytes, std::size_t step, ReaderLimits limits = {}) {
  RequestReader reader(limits);
  Outcome outcome;
  std::string& unread = outcome.rest;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    unread += bytes.substr(at, step);
    for (;;) {
      unread.erase(0, reader.put(unread));
      outcome.state = reader.state();
      if (outcome.state != State::complete) break;
      outcome.requests.push_back(reader.take());
    }
    if (outcome.state == State::refused) break;
  }
  if (outcome.state == State::refused) outcome.refusal = reader.refusal();
  return outcome;
}

TEST(RequestReaderTest, ARequestIsReadHoweverItsBytesAreCut) {
  const std::string bytes =
      std::string(kGet) + "POST /p HTTP/1.0\r\nContent-Length: 5\r\nX: y\r\n\r\nhello" +
      "\r\n\r\nPUT /q HTTP/1.1\r\nHOST: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const auto outcome = read(bytes, step);
    ASSERT_EQ(outcome.requests.size(), 3U) << step;
    EXPECT_EQ(outcome.requests[0].method, "GET");
    EXPECT_EQ(outcome.requests[0].path, "/a");
    EXPECT_EQ(outcome.requests[0].query.at("b"), "c");
    EXPECT_EQ(outcome.requests[0].header("hOsT"), "x");
    EXPECT_TRUE(outcome.requests[0].keep_alive);
    EXPECT_EQ(outcome.requests[1].body, "hello");
    EXPECT_EQ(outcome.requests[1].version, 10U);
    EXPECT_FALSE(outcome.requests[1].keep_alive);
    EXPECT_EQ(outcome.requests[2].body, "abcde");
    EXPECT_EQ(outcome.rest, "");
  }
}

TEST(RequestReaderTest, ABodyOfNoChunksIsReadHoweverItsBytesAreCut) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + std::string(kGet);
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const auto outcome = read(bytes, step);
    ASSERT_EQ(outcome.requests.size(), 2U) << step;
    EXPECT_EQ(outcome.requests[0].body, "");
    EXPECT_EQ(outcome.requests[1].path, "/a");
  }
}

TEST(RequestReaderTest, AConnectionWithoutARequestHasNotBegun) {
  RequestReader reader;
  EXPECT_FALSE(reader.begun());
  EXPECT_EQ(reader.put("\r\n"), 2U);
  EXPECT_FALSE(reader.begun());
  reader.put("G");
  EXPECT_TRUE(reader.begun());
  EXPECT_EQ(reader.state(), State::reading);
}

TEST(RequestReaderTest, AClientThatWaitsForLeaveToSendIsSeenOnce) {
  RequestReader reader;
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(reader.put(head), head.size());
  EXPECT_TRUE(reader.take_expectation());
  EXPECT_FALSE(reader.take_expectation());
  EXPECT_EQ(reader.put("ab"), 2U);
  EXPECT_EQ(reader.state(), State::complete);
}

// Chunks of a byte each, with an extension of so many.
std::string framed(int chunks, std::size_t extension) {
  std::string text;
  for (int i = 0; i < chunks; ++i) text += "1;x=" + std::string(extension, 'e') + "\r\na\r\n";
  return text;
}

struct Refusal {
  const char* name;
  std::string bytes;
  unsigned status;
  const char* detail;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, WhatIsNoRequestIsRefusedWithItsReason) {
  const Refusal& refusal = GetParam();
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, refusal.bytes.size()}) {
    const auto outcome = read(refusal.bytes, step, {.head = 400, .body = 20});
    ASSERT_EQ(outcome.state, State::refused) << step;
    EXPECT_TRUE(outcome.requests.empty());
    EXPECT_EQ(outcome.refusal.status, refusal.status) << *outcome.refusal.body;
    EXPECT_THAT(*outcome.refusal.body, HasSubstr(refusal.detail));
    EXPECT_TRUE(outcome.refusal.close);
  }
}

std::string get(const std::string& headers) {
  return "GET / HTTP/1.1\r\n" + headers + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusalTest,
    testing::Values(
        Refusal{"noise", "\x16\x03\x01\x02\x00\x01", 400, "this is no HTTP request"},
        Refusal{"no_version", "GET /\r\n\r\n", 400, "this is no HTTP request"},
        Refusal{"old_version", "GET / HTTP/0.9\r\n\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"},
        Refusal{"http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"},
        Refusal{"no_host", "GET / HTTP/1.1\r\n\r\n", 400, "a request of HTTP/1.1 must have a Host header"},
        Refusal{"two_hosts", get("Host: a\r\nhost: b\r\n"), 400, "there are two Host headers"},
        Refusal{"colonless", get("Host: a\r\nnonsense\r\n"), 400, "this is no HTTP request"},
        Refusal{"folded", get("Host: a\r\nX : y\r\n"), 400, "this is no HTTP request"},
        Refusal{"control", get("Host: a\r\nX: a\x01z\r\n"), 400, "this is no HTTP request"},
        Refusal{"long_line", "GET /" + std::string(500, 'a') + " HTTP/1.1\r\n\r\n", 431, "longer than 400 bytes"},
        Refusal{"long_head", get("Host: a\r\nX: " + std::string(500, 'a') + "\r\n"), 431, "longer than 400 bytes"},
        Refusal{"long_body", get("Host: a\r\nContent-Length: 21\r\n"), 413, "the body is longer than 20 bytes"},
        Refusal{"long_chunk", get("Host: a\r\nTransfer-Encoding: chunked\r\n") + "30\r\nabc", 413,
                "longer than 20 bytes"},
        Refusal{"endless_trailer",
                get("Host: a\r\nTransfer-Encoding: chunked\r\n") + "0\r\nX: " + std::string(500, 'a'), 400,
                "a chunk's size or the trailers are longer than 400 bytes"},
        Refusal{"endless_extension", get("Host: a\r\nTransfer-Encoding: chunked\r\n") + "3;x=" + std::string(500, 'a'),
                400, "a chunk's size or the trailers are longer than 400 bytes"},
        Refusal{"framing", get("Host: a\r\nTransfer-Encoding: chunked\r\n") + framed(15, 40), 413,
                "the chunks of the body are framing more than body"},
        Refusal{"huge_length", get("Host: a\r\nContent-Length: 99999999999999999999\r\n"), 400, "no HTTP request"},
        Refusal{"negative_length", get("Host: a\r\nContent-Length: -1\r\n"), 400, "no HTTP request"},
        Refusal{"two_lengths", get("Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), 400, "no HTTP request"},
        Refusal{"length_and_chunks", get("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400,
                "no HTTP request"},
        Refusal{"bad_chunk", get("Host: a\r\nTransfer-Encoding: chunked\r\n") + "xyz\r\n", 400, "no HTTP request"},
        Refusal{"unknown_coding", get("Host: a\r\nTransfer-Encoding: gzip\r\n"), 501,
                "the only Transfer-Encoding read here is chunked"},
        Refusal{"two_codings", get("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"), 501, "is chunked"},
        Refusal{"old_coding", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "has no Transfer-Encoding"},
        Refusal{"expectation", get("Host: a\r\nExpect: tea\r\n"), 417, "the only expectation known"},
        Refusal{"bad_target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "must be a path that begins with '/'"},
        Refusal{"bad_escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "a '%' that begins no encoded byte"},
        Refusal{"nul", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "a '%' that begins no encoded byte"}),
    [](const auto& refusal) { return refusal.param.name; });

TEST(TargetTest, PathAndQueryAreDecoded) {
  const auto target = parse_target("/a%20b/%C3%A9?x=1+2&y&z=%26&#fragment");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->path, "/a b/é");
  EXPECT_EQ(target->query, (std::map<std::string, std::string>{{"x", "1 2"}, {"y", ""}, {"z", "&"}}));
}

TEST(TargetTest, TheAbsoluteFormNamesItsHost) {
  const auto target = parse_target("http://host:80/a?b=c");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->authority, "host:80");
  EXPECT_EQ(target->path, "/a");
  EXPECT_EQ(parse_target("http://host")->path, "/");
  EXPECT_EQ(parse_target("http://host?a")->path, "/");
}

TEST(TargetTest, WhatIsWrongIsSaid) {
  const auto message = [](std::string_view target) { return parse_target(target).error().message; };
  EXPECT_EQ(message("http:///a"), "the target names no host after http://");
  EXPECT_EQ(message("ftp://a/"), "the target must be a path that begins with '/'");
  EXPECT_EQ(message("/?a=1&a=2"), "'a' stands twice in the query");
  EXPECT_EQ(message("/?%"), "the query has a '%' that begins no encoded byte");
  EXPECT_EQ(message("/%4"), "the path has a '%' that begins no encoded byte");
}

TEST(RequestReaderTest, TheAuthorityOfATargetStandsAboveHost) {
  const auto outcome = read("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000);
  ASSERT_EQ(outcome.requests.size(), 1U);
  EXPECT_EQ(outcome.requests[0].header("Host"), "evil.example");
}

}  // namespace
}  // namespace gpukeeper::service
