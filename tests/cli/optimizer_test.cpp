#include "cli/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;

const std::string kStatus = R"({"taken_at":"1970-01-01T00:00:10Z","devices":[
  {"index":0,"uuid":"GPU-a","name":"NVIDIA H200","metrics":{"memory_total_bytes":25757220864,
   "memory_used_bytes":2214592512,"memory_free_bytes":23108517888,"utilization_percent":73.431,
   "utilization_memory_percent":33.9,"temperature_celsius":65.9,"power_watts":329.9,"clock_graphics_mhz":3105.0}},
  {"index":1,"uuid":"GPU-b","name":"A card","metrics":{"memory_total_bytes":null,"memory_used_bytes":null}}]})";
const std::string kLeases = R"({"leases":[
  {"id":"7","index":0,"service":"embedding-service","state":"active","min_bytes":4294967296,
   "created":"1970-01-01T00:00:05.5Z"},
  {"id":"8","index":0,"service":"gone","state":"draining","min_bytes":4294967296}]})";

TEST(OptimizerTest, StatusIsTheDocumentedText) {
  EXPECT_EQ(optimizer_status(kStatus, kLeases),
            "=== GPU Resource Status ===\n"
            "\n"
            "GPU Devices:\n"
            "  GPU 0: NVIDIA H200\n"
            "    Memory: 2,112MB / 24,564MB (8.6%)\n"
            "    Utilization: 73.4%\n"
            "    Temperature: 65°C\n"
            "    Power: 329W\n"
            "\n"
            "  GPU 1: A card\n"
            "    Memory: N/A / N/A (N/A)\n"
            "    Utilization: N/A\n"
            "    Temperature: N/A\n"
            "    Power: N/A\n"
            "\n"
            "Active Allocations: 1\n"
            "  embedding-service -> GPU 0 (required: 4096MB)\n"
            "\n"
            "Memory Summary:\n"
            "  Total Memory: 24,564MB\n"
            "  Used Memory: 2,112MB\n"
            "  Free Memory: 22,038MB\n"
            "  Average Utilization: 8.6%\n");
}

TEST(OptimizerTest, StatusShowsWhoWaits) {
  const std::string book = R"({"waiting":["9"],"leases":[
    {"id":"9","index":null,"service":"llm","state":"waiting","min_bytes":8589934592,"created":"1970-01-01T00:00:07Z"}]})";
  EXPECT_THAT(optimizer_status(kStatus, book), HasSubstr("Active Allocations: 0\n"
                                                         "\n"
                                                         "Waiting Requests: 1\n"
                                                         "  llm (required: 8192MB, since 1970-01-01T00:00:07Z)\n"
                                                         "\n"
                                                         "Memory Summary:\n"));
}

TEST(OptimizerTest, ReportIsTheDocumentedText) {
  const std::string text = optimizer_report(kStatus, kLeases, false);
  EXPECT_THAT(text, testing::StartsWith("=== GPU Resource Report ===\n"
                                        "\n"
                                        "System Overview:\n"
                                        "  Total GPUs: 2\n"
                                        "  Active Allocations: 1\n"
                                        "  Optimization Running: False\n"
                                        "\n"
                                        "Memory Analysis:\n"
                                        "  Total Memory: 24,564MB\n"
                                        "  Used Memory: 2,112MB\n"
                                        "  Free Memory: 22,038MB\n"
                                        "  Utilization: 8.6%\n"
                                        "\n"
                                        "GPU Details:\n"
                                        "  GPU 0: NVIDIA H200\n"));
  EXPECT_THAT(text, testing::EndsWith("Allocation Details:\n"
                                      "  embedding-service -> GPU 0 (required: 4096MB)\n"
                                      "\n"
                                      "Recommendations:\n"
                                      "  ℹ️  Low memory utilization - consider consolidating services\n"
                                      "  ℹ️  1 active allocations\n"));
}

TEST(OptimizerTest, RecommendationsFollowTheFillLevel) {
  const std::string full =
      R"({"devices":[{"index":0,"name":"X","metrics":{"memory_total_bytes":1048576000,"memory_used_bytes":943718400}}]})";
  EXPECT_THAT(optimizer_report(full, "{}", true),
              HasSubstr("  ⚠️  High memory utilization detected - consider memory optimization\n"
                        "  ℹ️  No active allocations - all GPUs are available\n"));
  EXPECT_THAT(optimizer_report(full, "{}", true), HasSubstr("  Optimization Running: True\n"));
}

TEST(OptimizerTest, ExportHasTheDocumentedKeysAndNullForWhatIsNotKnown) {
  const std::string text = optimizer_export(kStatus, kLeases, false);
  EXPECT_THAT(text, testing::StartsWith("{\n"
                                        "  \"running\": false,\n"
                                        "  \"allocation_status\": {\n"
                                        "    \"total_allocations\": 1,\n"
                                        "    \"allocations\": [\n"
                                        "      {\n"
                                        "        \"service_name\": \"embedding-service\",\n"
                                        "        \"device_id\": 0,\n"
                                        "        \"allocated_at\": 5.5,\n"
                                        "        \"required_memory_mb\": 4096\n"
                                        "      }\n"
                                        "    ]\n"
                                        "  },\n"
                                        "  \"memory_report\": {\n"
                                        "    \"timestamp\": 10.0,\n"));
  EXPECT_THAT(text, HasSubstr("\"memory_utilization_percent\": 8,\n        \"memory_controller_percent\": 33,\n"));
  EXPECT_THAT(text, HasSubstr("\"temperature_celsius\": null,\n"));
  EXPECT_THAT(text, HasSubstr("\"graphics_clock_mhz\": 3105,\n"));
}

TEST(OptimizerTest, WithoutAGpuThereIsNothingToDivideBy) {
  EXPECT_THAT(optimizer_status("{}", "{}"), HasSubstr("  Total Memory: 0MB\n"));
  EXPECT_THAT(optimizer_status("{}", "{}"), HasSubstr("  Average Utilization: 0.0%\n"));
  EXPECT_THAT(optimizer_export("{}", "{}", false), HasSubstr("\"average_utilization_percent\": 0\n"));
}

}  // namespace
}  // namespace gpukeeper::cli
