#include "report/report_json.hpp"

#include <gtest/gtest.h>

#include "days.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::report {
namespace {

TEST(ReportJsonTest, SaysSumsInHoursAndKilowattHours) {
  const Sources sources{.tariff = {.price_per_kwh = 0.5, .currency = "EUR", .carbon_g_per_kwh = 400.0},
                        .leases = hardly_used_lease()};
  const Json document = Json::parse(report_json(two_gpus().report({}, sources), false));
  EXPECT_EQ(document["schema"], "gpukeeper.report/1");
  EXPECT_EQ(document["basis"], "daemon");
  EXPECT_EQ(document["devices"][0]["energy_kwh"], 1.0);
  EXPECT_EQ(document["devices"][0]["cost"], 0.5);
  EXPECT_EQ(document["devices"][0]["carbon_kg"], 0.4);
  EXPECT_EQ(document["devices"][0]["utilization_percent"], 90.0);
  EXPECT_EQ(document["devices"][0]["slowed_by_heat_hours"], 0.2);
  EXPECT_EQ(document["devices"][0]["columns"].size(), 12u);
  EXPECT_EQ(document["users"][0]["name"], "mara");
  EXPECT_EQ(document["users"][1]["name"], nullptr);
  EXPECT_EQ(document["leases"][0]["underused"], true);
  EXPECT_EQ(document["leases"][0]["held_hours"], 1.0);
}

TEST(ReportJsonTest, WithoutATariffThereIsNoCost) {
  const Json document = Json::parse(report_json(two_gpus().report(), false));
  EXPECT_EQ(document["total"]["cost"], nullptr);
  EXPECT_EQ(document["total"]["carbon_kg"], nullptr);
  EXPECT_EQ(document["tariff"]["currency"], nullptr);
}

TEST(ReportJsonTest, AnyNameGivesAValidDocument) {
  const std::string name = "\"}],\xff\x00\x1b";
  const Json document = Json::parse(report_json(two_gpus(name, name, name).report(), false));
  EXPECT_EQ(document["users"].size(), 2u);
}

TEST(ReportJsonTest, EveryFigureStandsInTheSchema) {
  const Json schema = Json::parse(report_schema());
  const Json document = Json::parse(report_json(two_gpus().report(), false));
  for (const auto& [name, value] : document["users"][0].items()) {
    EXPECT_TRUE(schema["$defs"]["usage"]["properties"].contains(name)) << name;
  }
  for (const auto& [name, value] : document["total"].items()) {
    EXPECT_TRUE(schema["$defs"]["use"]["properties"].contains(name)) << name;
  }
  for (const auto& [name, value] : document.items()) EXPECT_TRUE(schema["properties"].contains(name)) << name;
}

}  // namespace
}  // namespace gpukeeper::report
