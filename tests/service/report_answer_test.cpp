#include "service/report_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "account/accountant.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Five minutes of the four GPUs.
class ReportAnswerTest : public testing::Test {
 protected:
  ReportAnswerTest() {
    snapshot_ = four_gpus();
    for (int second = 0; second <= 300; ++second) {
      snapshot_.monotonic = MonotonicTime(1h + std::chrono::seconds(second));
      snapshot_.taken_at = kThen + std::chrono::seconds(second);
      accountant_.add(snapshot_);
    }
    desk_.account = [this](auto, auto) { return accountant_.account(); };
    desk_.tariff = [] { return account::Tariff{.price_per_kwh = 0.5, .currency = "EUR"}; };
    desk_.faults = [] { return std::make_shared<const FaultList>(); };
  }

  Response get(std::map<std::string, std::string> query) {
    Request request;
    request.method = "GET";
    request.path = "/api/v1/report";
    request.query = std::move(query);
    return report_answer(request, desk_, snapshot_);
  }
  std::string refusal(std::map<std::string, std::string> query) {
    const Response answer = get(std::move(query));
    return std::to_string(answer.status) + " " + std::string(Json::parse(*answer.body)["detail"]);
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers) {
      if (each == name) return value;
    }
    return "";
  }

  account::Accountant accountant_;
  Snapshot snapshot_;
  ReportDesk desk_;
};

TEST_F(ReportAnswerTest, IsADocumentOfWhatTheDaemonHasCounted) {
  const Response answer = get({});
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.content_type, "application/json");
  const Json document = Json::parse(*answer.body);
  EXPECT_EQ(document["schema"], "gpukeeper.report/1");
  EXPECT_EQ(document["basis"], "daemon");
  EXPECT_EQ(document["host"], "gpu-box");
  EXPECT_NEAR(document["devices"][0]["energy_kwh"].get<double>(), 612.345678 * 300 / 3.6e6, 1e-5);
  EXPECT_EQ(document["devices"].size(), 4u);
}

TEST_F(ReportAnswerTest, GivesThePageTheTableAndTheTextOfTheSame) {
  const Response page = get({{"format", "html"}, {"utc_offset", "7200"}});
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(*page.body, HasSubstr("(UTC+02:00)"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  const Response table = get({{"format", "csv"}});
  EXPECT_EQ(table.content_type, "text/csv; charset=utf-8");
  EXPECT_THAT(*table.body, HasSubstr("gpu-box,"));
  const Response text = get({{"format", "text"}});
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(*text.body, testing::StartsWith("=== GPU Usage ===\n"));
}

TEST_F(ReportAnswerTest, WhatIsWrongIsRefused) {
  EXPECT_EQ(refusal({{"format", "pdf"}}), "400 format takes json, html, csv or text, not 'pdf'");
  EXPECT_EQ(refusal({{"utc_offset", "99999"}}), "400 utc_offset takes seconds from -50400 to 50400, not '99999'");
  EXPECT_EQ(
      refusal({{"since", "2026-06-30T00:00:00Z"}}),
      "400 there is nothing to report from 2026-06-30T00:00:00.000Z to 2026-05-28T20:31:40.000Z: what is known goes "
      "from 2026-05-28T20:26:40.000Z to 2026-05-28T20:31:40.000Z");
  EXPECT_THAT(refusal({{"by", "user"}}), testing::StartsWith("400 "));
}

TEST_F(ReportAnswerTest, BeforeTheFirstTickItIsTooEarly) {
  snapshot_.sequence = 0;
  EXPECT_EQ(get({}).status, 503u);
}

TEST_F(ReportAnswerTest, HowManyRequestsWereGrantedIsSaidWhereThereWereAny) {
  EXPECT_THAT(*get({{"format", "text"}}).body, testing::Not(HasSubstr("requests for memory")));
  desk_.requests = [] { return report::RequestCounts{.granted = 59, .refused = 1}; };
  EXPECT_THAT(*get({}).body, HasSubstr("59 of 60 requests for memory were granted since gpukeeper started, 98.3 %."));
  desk_.requests = [] { return report::RequestCounts{.granted = 1, .refused = 1}; };
  EXPECT_THAT(*get({}).body, HasSubstr("1 of 2 requests for memory were granted since gpukeeper started, 50.0 %: "
                                       "gpukeeper plan SIZE says what stands in the way of another."));
}

TEST_F(ReportAnswerTest, LeasesAreThoseThatTheAskerMaySee) {
  desk_.leases = [](const Request&) {
    return R"({"leases":[{"id":"7","service":"embedding","device":"GPU-aaaa","index":0,"state":"active",
      "min_bytes":42949672960,"peak_bytes":1,"created":"2026-05-28T20:00:00Z","changed":"2026-05-28T20:00:00Z"}]})";
  };
  const Json document = Json::parse(*get({}).body);
  EXPECT_EQ(document["leases"][0]["service"], "embedding");
}

}  // namespace
}  // namespace gpukeeper::service
