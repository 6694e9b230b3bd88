#include "service/metrics_answer.hpp"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

using prometheus::Syntax;
using testing::HasSubstr;

prometheus::MetricFacts facts() {
  return {.snapshot = std::make_shared<const Snapshot>(four_gpus()), .version = "0.6.0"};
}

Response ask(std::map<std::string, std::string> query, std::vector<Header> headers = {},
             const prometheus::FamilySet& configured = prometheus::all_families()) {
  Request request;
  request.method = "GET";
  request.path = "/metrics";
  request.query = std::move(query);
  request.headers = std::move(headers);
  return metrics_answer(request, facts(), configured);
}

std::string detail(const Response& response) {
  return Json::parse(*response.body)["detail"];
}

TEST(MetricsAnswerTest, IsTextUnlessOpenMetricsIsWanted) {
  struct Case {
    std::string_view accept;
    Syntax syntax;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"", Syntax::text},
           {"*/*", Syntax::text},
           {"text/html", Syntax::text},
           {"text/plain;version=0.0.4", Syntax::text},
           {"application/openmetrics-text", Syntax::openmetrics},
           {"Application/OpenMetrics-Text; Version=1.0.0", Syntax::openmetrics},
           {"application/openmetrics-text;version=2.0.0", Syntax::text},
           {"application/openmetrics-text;q=0", Syntax::text},
           {"application/openmetrics-text;q=0.1,text/plain;q=0.5", Syntax::text},
           {"application/openmetrics-text;q=x", Syntax::text},
           // Prometheus 2.42, and 3
           {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Syntax::openmetrics},
           {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.3,*/*",
            Syntax::openmetrics},
           {",;,=;q=", Syntax::text},
       }) {
    EXPECT_EQ(wanted_syntax(c.accept), c.syntax) << c.accept;
  }
}

TEST(MetricsAnswerTest, SaysWhatItIs) {
  const Response text = ask({});
  EXPECT_EQ(text.status, 200u);
  EXPECT_EQ(text.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(*text.body, HasSubstr("gpukeeper_temperature_celsius{gpu=\"0\",uuid=\"GPU-aaaa\"} 64\n"));
  EXPECT_THAT(text.headers, testing::Contains(Header("Vary", "Accept")));
  const Response open = ask({}, {{"Accept", "application/openmetrics-text"}});
  EXPECT_EQ(open.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open.body->ends_with("# EOF\n"));
}

TEST(MetricsAnswerTest, AnswersWithSomeFamiliesOnly) {
  EXPECT_EQ(ask({{"family", "gpukeeper"}}).status, 200u);
  const Response unknown = ask({{"family", "nvidia"}});
  EXPECT_EQ(unknown.status, 400u);
  EXPECT_THAT(detail(unknown),
              HasSubstr("there is no family of metrics 'nvidia': known are gpukeeper, documented, prefix, dcgm"));
  EXPECT_EQ(detail(ask({{"familiy", "x"}})), "the one parameter known here is family: ?family=gpukeeper");
}

TEST(MetricsAnswerTest, AFamilyThatIsTurnedOffIsNotAnswered) {
  EXPECT_EQ(*ask({}, {}, {}).body, "");
  EXPECT_EQ(detail(ask({{"family", "gpukeeper"}}, {}, {})),
            "the family of metrics 'gpukeeper' is turned off: metrics.families has not got it");
}

}  // namespace
}  // namespace gpukeeper::service
