#include "config/documented_environment.hpp"

#include <map>

#include <gtest/gtest.h>

#include "config/effective.hpp"
#include "config/key_table.hpp"

namespace gpukeeper::config {
namespace {

Variable environment(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

// The key's value as JSON, with that environment; or the message.
std::string value(std::string_view key, std::map<std::string, std::string, std::less<>> variables) {
  const auto read = effective({.environment = environment(std::move(variables))});
  return read ? find_key(key)->show(read->settings) : read.error().message;
}

TEST(DocumentedEnvironmentTest, EveryDocumentedNameIsItsKey) {
  EXPECT_EQ(value("reclaim.optimization_interval", {{"OPTIMIZATION_INTERVAL", "600"}}), "600");
  EXPECT_EQ(value("reclaim.memory_threshold", {{"MEMORY_THRESHOLD", "0.9"}}), "0.9");
  EXPECT_EQ(value("sample_interval", {{"METRICS_INTERVAL", "5"}}), "5");
  EXPECT_EQ(value("http.requests_per_minute", {{"API_RATE_LIMIT", "90/min"}}), "90");
  EXPECT_EQ(value("source", {{"GPU_MONITORING", "nvidia"}}), R"(["nvml"])");
  EXPECT_EQ(value("source", {{"GPU_MONITORING", "amd"}}), R"(["sysfs"])");
  EXPECT_EQ(value("source", {{"GPU_MONITORING", "auto"}}), R"(["auto"])");
  EXPECT_EQ(value("listen", {{"HOST", "127.0.0.1"}, {"PORT", "5000"}}), R"(["127.0.0.1:5000"])");
}

TEST(DocumentedEnvironmentTest, TheDatabaseIsThatOfPostgreSql) {
  EXPECT_EQ(value("database.url", {{"DATABASE_URL", "postgresql+psycopg2://me:a%20b@db:5432/gpu"}}),
            R"("postgresql://me:a%20b@db:5432/gpu")");
  EXPECT_EQ(value("database.url", {{"DATABASE_URL", "sqlite:///instance/monitor.db"}}), "null");
  EXPECT_EQ(value("database.url", {{"DATABASE_URL", "postgres://db/a"}, {"POSTGRES_HOST", "other"}}),
            R"("postgres://db/a")");
  EXPECT_EQ(value("database.url", {{"POSTGRES_HOST", "db"},
                                   {"POSTGRES_PORT", "5433"},
                                   {"POSTGRES_DB", "gpu"},
                                   {"POSTGRES_USER", "me"},
                                   {"POSTGRES_PASSWORD", "a/b"}}),
            R"("postgresql://me:a%2Fb@db:5433/gpu")");
  EXPECT_EQ(value("database.url", {{"POSTGRES_USER", "me"}, {"POSTGRES_PASSWORD", "p"}}), "null");
}

TEST(DocumentedEnvironmentTest, DaysOfRetentionAreThoseOfBothStores) {
  EXPECT_EQ(value("database.keep", {{"DATA_RETENTION_DAYS", "90"}}), "7776000");
  EXPECT_EQ(value("history.store.keep", {{"DATA_RETENTION_DAYS", "7"}}), "604800");
}

TEST(DocumentedEnvironmentTest, ThresholdsAreBordersOfRules) {
  const std::map<std::string, std::string, std::less<>> all = {{"CPU_ALERT_THRESHOLD", "80"},
                                                               {"GPU_ALERT_THRESHOLD", "85"},
                                                               {"MEMORY_ALERT_THRESHOLD", "90"},
                                                               {"TEMPERATURE_ALERT_THRESHOLD", "75"}};
  const auto read = effective({.environment = environment(all)});
  ASSERT_TRUE(read) << read.error().message;
  std::map<std::string, double> borders;
  for (const auto& rule : read->settings.engine.andon.rules) borders[rule.rule] = rule.warning.value_or(0);
  EXPECT_EQ(borders, (std::map<std::string, double>{
                         {"host_cpu", 80}, {"utilization_high", 85}, {"memory_pressure", 90}, {"thermal", 75}}));
  const std::string said = value("alerts.rules", {{"GPU_ALERT_THRESHOLD", "often"}});
  EXPECT_TRUE(said.starts_with("GPU_ALERT_THRESHOLD: alerts.rules")) << said;
}

TEST(DocumentedEnvironmentTest, WhoIsLetInAndWhetherProcessesAreLookedAt) {
  EXPECT_EQ(value("http.allow", {{"ALLOWED_IPS", "10.0.0.0/8, ::1"}}), R"(["10.0.0.0/8","::1"])");
  EXPECT_EQ(value("process_monitoring", {{"ENABLE_PROCESS_MONITORING", "false"}}), "false");
}

TEST(DocumentedEnvironmentTest, WhatHasNoEffectIsSaid) {
  EXPECT_TRUE(unheeded_variables(environment({{"SECRET_KEY", "s"}, {"ENABLE_AUTH", " "}})).empty());
  const auto said = unheeded_variables(environment({{"ENABLE_AUTH", "true"}}));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], "ENABLE_AUTH has no effect here: who may do what is said by roles and tokens (docs/security.md)");
}

TEST(DocumentedEnvironmentTest, OneOfHostAndPortIsForSomebodyElse) {
  EXPECT_EQ(value("listen", {{"HOST", "workstation"}}), "[]");
  EXPECT_EQ(value("listen", {{"PORT", "3000"}}), "[]");
  EXPECT_EQ(value("listen", {{"HOST", "  "}, {"PORT", "3000"}}), "[]");
}

TEST(DocumentedEnvironmentTest, OurOwnNamesStandAboveThemAndTheyAboveTheFile) {
  EXPECT_EQ(value("sample_interval", {{"METRICS_INTERVAL", "5"}, {"GPUKEEPER_SAMPLE_INTERVAL", "2"}}), "2");
  const auto read =
      effective({.file = File{"f", "sample_interval: 9\n"}, .environment = environment({{"METRICS_INTERVAL", "5"}})});
  ASSERT_TRUE(read);
  EXPECT_EQ(find_key("sample_interval")->show(read->settings), "5");
  EXPECT_EQ(read->origin("sample_interval").place, "METRICS_INTERVAL");
}

TEST(DocumentedEnvironmentTest, WhatIsNoValueIsRefusedByItsOwnName) {
  const std::string said = value("sample_interval", {{"METRICS_INTERVAL", "often"}});
  EXPECT_TRUE(said.starts_with("METRICS_INTERVAL: sample_interval: ")) << said;
}

}  // namespace
}  // namespace gpukeeper::config
