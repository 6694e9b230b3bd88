#include "service/documented/system_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "busy_machine.hpp"
#include "documented_service.hpp"

namespace gpukeeper::service::documented {
namespace {

using nlohmann::json;
using testing::ElementsAre;

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

ProcessFacts who(ProcessClass kind) {
  ProcessFacts facts = mara_trains(1);
  facts.classification.kind = kind;
  return facts;
}

// A GPU with one process of every kind.
Snapshot crowded() {
  auto gpu = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
  set_processes(gpu, {told(process(1, "game", 100), who(ProcessClass::gaming)),
                      told(process(2, "ollama", 1'001), who(ProcessClass::ml_inference)),
                      told(process(3, "train", 1'000), who(ProcessClass::ml_training)),
                      told(process(4, "ffmpeg", 1), who(ProcessClass::video)),
                      told(process(5, "xm\x1brig", 1), who(ProcessClass::mining)),
                      told(process(6, "desktop", 1), who(ProcessClass::desktop)), process(7, "", 1)});
  return machine({gpu});
}

TEST(SystemApiTest, ASummaryHasTheLargestOfAllGpus) {
  DocumentedService service(four_gpus());
  const json summary = service.document("/api/gpu/summary");
  EXPECT_THAT(keys(summary), ElementsAre("gpu_count", "gpus", "max_temperature", "max_utilization",
                                         "monitoring_available", "total_processes"));
  EXPECT_EQ(summary["gpu_count"], 4);
  EXPECT_EQ(summary["max_temperature"].dump(), "83");
  EXPECT_EQ(summary["max_utilization"].dump(), "97.4");
  EXPECT_EQ(summary["total_processes"], 2);
  EXPECT_TRUE(summary["gpus"][2]["temperature"].is_null());  // asleep
  EXPECT_THAT(keys(summary["gpus"][0]),
              ElementsAre("id", "memory_percent", "name", "process_count", "temperature", "utilization", "vendor"));
}

TEST(SystemApiTest, WhereNoGpuTellsItsTemperatureTheLargestIsNull) {
  DocumentedService service(machine({device(0, facts("GPU-a", "L4", "0000:01:00.0"), Reading{Missing::failed})}));
  const json summary = service.document("/api/gpu/summary");
  EXPECT_TRUE(summary["max_temperature"].is_null());
  EXPECT_TRUE(summary["max_utilization"].is_null());
}

TEST(SystemApiTest, WithoutAGpuThatAnswersThereIsNoMonitoring) {
  Snapshot lost = machine({device(0, facts("GPU-a", "L4", "0000:01:00.0"), busy())});
  lost.devices[0].available = false;
  DocumentedService service(std::move(lost));
  EXPECT_EQ(service.document("/api/gpu/summary").dump(),
            R"({"gpu_count":0,"message":"No GPUs detected or monitoring unavailable","monitoring_available":false})");
  EXPECT_EQ(service.document("/api/health")["gpu_monitoring"], "unavailable");
}

TEST(SystemApiTest, ProcessesSayWhyTheFanRuns) {
  DocumentedService service(crowded());
  const json document = service.document("/api/gpu/processes");
  EXPECT_EQ(document["summary"],
            "GPU fan running because of: 1 game(s), 2 ML training process(es), 1 video processing, "
            "⚠️ 1 suspected miner(s), 2 unknown process(es)");
  EXPECT_EQ(document["insights"].dump(),
            R"({"games":1,"high_memory_usage":1,"ml_training":2,"suspected_miners":1,"total_processes":7,"unknown":2,)"
            R"("video_processing":1,"warnings":["💾 High GPU memory usage: ollama using 1001MB",)"
            R"x("⚠️ Suspected cryptocurrency miner detected: xm?rig (PID 5)"]})x");
  EXPECT_EQ(document["processes"][6]["name"], "<unknown>");
  EXPECT_EQ(document["processes"][6]["process_type"], "unknown");
  EXPECT_EQ(document["processes"][4]["is_suspected_miner"], true);
  EXPECT_THAT(keys(document["processes"][0]),
              ElementsAre("command_line", "cpu_percent", "executable_path", "gpu_id", "gpu_memory_mb", "gpu_name",
                          "is_game", "is_ml_training", "is_suspected_miner", "is_video_processing", "memory_mb", "name",
                          "pid", "process_type", "runtime_seconds", "username"));
}

TEST(SystemApiTest, WithoutProcessesTheFanRunsByItself) {
  DocumentedService service(machine({device(0, facts("GPU-a", "L4", "0000:01:00.0"), busy())}));
  EXPECT_EQ(service.document("/api/gpu/processes")["summary"],
            "No GPU processes detected. GPU fan running due to background driver activity or thermal management.");
}

TEST(SystemApiTest, AProcessOfTheMetricsHasTheFifteenKeys) {
  DocumentedService service(crowded());
  const json gpu = service.document("/api/gpu/metrics")["gpus"][0];
  EXPECT_THAT(keys(gpu),
              ElementsAre("driver_version", "fan_speed_percent", "gpu_id", "memory_percent", "memory_total_mb",
                          "memory_used_mb", "name", "power_draw_watts", "power_limit_watts", "processes",
                          "temperature_c", "timestamp", "utilization_percent", "vendor"));
  EXPECT_EQ(gpu["processes"][0].size(), 15u);
  EXPECT_TRUE(gpu["processes"][0]["gpu_utilization"].is_null());
  EXPECT_EQ(gpu["temperature_c"].dump(), "64");
  EXPECT_EQ(gpu["memory_used_mb"].dump(), "62000");
  EXPECT_EQ(gpu["power_draw_watts"].dump(), "612.345678");
}

TEST(SystemApiTest, CommandLinesAreForTheOwnerAlone) {
  DocumentedService service(crowded());
  service.set_machine(busy_machine());
  const auto shown = [&](const std::string& path, std::optional<uid_t> user) {
    const auto body = service.ask("GET", path, {}, "", {}, user).body;
    return body->find("train.py") != std::string::npos;
  };
  for (const std::string path : {"/api/gpu/metrics", "/api/gpu/processes", "/api/system/cpu", "/api/system/memory"}) {
    EXPECT_TRUE(shown(path, DocumentedService::kOwner)) << path;
    EXPECT_FALSE(shown(path, DocumentedService::kOwner + 1)) << path;
    EXPECT_FALSE(shown(path, std::nullopt)) << path;
  }
}

TEST(SystemApiTest, TheDatabaseIsConnectedOnlyWhereItIs) {
  DocumentedService service(machine({device(0, facts("GPU-a", "L4", "0000:01:00.0"), busy())}));
  EXPECT_EQ(service.document("/api/health")["database"], "connected");
  EXPECT_FALSE(service.document("/api/health").contains("database_reason"));
  service.keep_in("");
  EXPECT_EQ(service.document("/api/health")["database"], "unavailable");
  EXPECT_EQ(service.document("/api/health")["database_reason"],
            "there is no state directory: what happened is forgotten at the end");
  service.keep_in("/var/lib/gpukeeper/faults.db");
  Snapshot full = machine({});
  full.event_sources = {{"fault journal", false, "the disk is full"}};
  service.see(std::move(full));
  EXPECT_EQ(service.document("/api/health")["database_reason"], "the disk is full");
}

TEST(SystemApiTest, ItIsReadyOnceTheGpusWereLookedAt) {
  DocumentedService service{Snapshot()};
  EXPECT_EQ(service.get("/ready").status, 503u);
  EXPECT_EQ(*service.get("/ready").body, "{\"status\":\"starting\"}\n");
  EXPECT_THAT(service.get("/ready").headers, testing::Contains(Header{"Retry-After", "1"}));
  service.see(machine({}));  // a machine without a GPU is looked at, too
  EXPECT_EQ(service.get("/ready").status, 200u);
}

TEST(SystemApiTest, StatsCountFromTheStart) {
  DocumentedService service(machine({}));
  service.clock().advance(std::chrono::seconds(14));
  EXPECT_EQ(service.document("/api/monitoring/stats").dump(),
            R"({"active":true,"connected_clients":0,"error_count":0,"error_rate":0.0,"update_count":7,)"
            R"("updates_per_minute":30.0,"uptime_seconds":14.0})");
}

TEST(SystemApiTest, StatusOfTheSystemHasTheGpuBesideTheComputer) {
  DocumentedService service(machine({device(0, facts("GPU-a", "L4", "0000:01:00.0"), busy())}));
  service.set_machine(busy_machine());
  const json status = service.document("/api/system/status");
  EXPECT_THAT(keys(status), ElementsAre("cpu", "gpu", "memory"));
  EXPECT_EQ(status["gpu"], service.document("/api/gpu/status")["data"]);
  EXPECT_EQ(status["cpu"], service.document("/api/system/cpu")["cpu"]);
  EXPECT_EQ(service.document("/api/system/status", {{"gpu_id", "4"}})["gpu"]["available"], false);
}

TEST(SystemApiTest, BeforeTheFirstSnapshotItSaysSoInTheirWords) {
  DocumentedService service{Snapshot()};
  for (const std::string path : {"/api/gpu/summary", "/api/gpu/processes"}) {
    EXPECT_EQ(service.get(path).status, 503u);
    EXPECT_EQ(service.document(path)["error"],
              "the GPUs are being looked at for the first time: try again in a second");
  }
}

}  // namespace
}  // namespace gpukeeper::service::documented
