#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "captured.hpp"
#include "cli/metrics.hpp"
#include "forecast/forecast_json.hpp"
#include "format/alert_rules.hpp"
#include "format/alerts_json.hpp"
#include "format/faults_json.hpp"
#include "format/history_view.hpp"
#include "format/leases_json.hpp"
#include "format/snapshot_json.hpp"
#include "format/throttle_report.hpp"
#include "format/trend_view.hpp"
#include "report/report_json.hpp"

// Documents that the program writes itself: the files in docs/ must be what it writes today.

namespace gpukeeper::cli {
namespace {

std::string file(const std::string& path) {
  std::ifstream in(std::string(GPUKEEPER_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(DocumentsTest, MetricsPageIsWhatTheProgramWrites) {
  Captured world;
  ASSERT_TRUE(metrics({MetricsOptions::Form::markdown}, world.context));
  EXPECT_EQ(file("docs/metrics.md"), world.out.text) << "renew it: gpukeeper metrics --markdown > docs/metrics.md";
}

TEST(DocumentsTest, SchemaOfStatusIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/status.json"), snapshot_schema())
      << "renew it: gpukeeper status --schema > docs/schema/status.json";
}

TEST(DocumentsTest, SchemaOfFaultsIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/faults.json"), faults_schema())
      << "renew it: gpukeeper faults --schema > docs/schema/faults.json";
}

TEST(DocumentsTest, SchemaOfThrottleIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/throttle.json"), throttle_report_schema())
      << "renew it: gpukeeper throttle --schema > docs/schema/throttle.json";
}

TEST(DocumentsTest, SchemaOfAlertsIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/alerts.json"), alerts_schema())
      << "renew it: gpukeeper alerts --schema > docs/schema/alerts.json";
}

TEST(DocumentsTest, SchemaOfLeasesIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/leases.json"), leases_schema())
      << "renew it: gpukeeper leases --schema > docs/schema/leases.json";
}

TEST(DocumentsTest, SchemaOfForecastIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/forecast.json"), forecast::forecast_schema())
      << "renew it: gpukeeper forecast --schema > docs/schema/forecast.json";
}

TEST(DocumentsTest, SchemaOfTrendIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/trend.json"), trend_schema())
      << "renew it: gpukeeper trend --schema > docs/schema/trend.json";
}

TEST(DocumentsTest, SchemaOfHistoryIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/history.json"), history_schema())
      << "renew it: gpukeeper history --schema > docs/schema/history.json";
}

TEST(DocumentsTest, SchemaOfReportIsWhatTheProgramWrites) {
  EXPECT_EQ(file("docs/schema/report.json"), report::report_schema())
      << "renew it: gpukeeper report --schema > docs/schema/report.json";
}

// The page may say more of a rule; what the table says stands there word for word.
TEST(DocumentsTest, EveryRuleOfAlertsHasItsSection) {
  const std::string page = file("docs/alerts.md");
  for (const Rule& rule : rule_table()) {
    EXPECT_NE(page.find(rule_section(rule)), std::string::npos) << "renew this in docs/alerts.md:\n"
                                                                << rule_section(rule);
  }
}

}  // namespace
}  // namespace gpukeeper::cli
