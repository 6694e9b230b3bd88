#include "format/snapshot_json.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "device/metric_table.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using Json = nlohmann::ordered_json;

TEST(StatusJsonTest, SaysWhenWhereAndFromWhat) {
  const Json json = Json::parse(snapshot_json(four_gpus(), true));
  EXPECT_EQ(json["schema"], "gpukeeper.status/1");
  EXPECT_EQ(json["taken_at"], "2026-05-28T20:26:40.250Z");
  EXPECT_EQ(json["host"], "gpu-box");
  EXPECT_EQ(json["sequence"], 7);
  EXPECT_EQ(json["sources"][0]["name"], "nvml");
  EXPECT_EQ(json["sources"][0]["message"], nullptr);
  EXPECT_EQ(json["devices"].size(), 4u);
}

TEST(StatusJsonTest, SaysWhySourcesOfEventsAreSilent) {
  Snapshot snapshot = four_gpus();
  snapshot.event_sources = {{"nvml", true, ""}, {"kernel log", false, "/dev/kmsg: Permission denied; run as root"}};
  const Json json = Json::parse(snapshot_json(snapshot, false));
  EXPECT_EQ(json["event_sources"].dump(),
            R"([{"name":"nvml","available":true,"message":null},)"
            R"({"name":"kernel log","available":false,"message":"/dev/kmsg: Permission denied; run as root"}])");
}

TEST(StatusJsonTest, MetricsAreTheTableInItsOrderAndAbsentOnesAreNullWithTheirReason) {
  const Json json = Json::parse(snapshot_json(four_gpus(), false));
  const Json& busy = json["devices"][0];
  std::size_t i = 0;
  ASSERT_EQ(busy["metrics"].size(), metric_table().size());
  for (const auto& [name, value] : busy["metrics"].items()) {
    EXPECT_EQ(name, metric_table()[i++].name);
    EXPECT_EQ(value.is_null(), busy["missing"].contains(name)) << name;
  }
  EXPECT_EQ(busy["metrics"]["memory_used_bytes"].dump(), "65011712000");
  EXPECT_EQ(busy["metrics"]["power_watts"].dump(), "612.346");
  EXPECT_EQ(busy["metrics"]["fan_rpm"], nullptr);
  EXPECT_EQ(busy["missing"]["fan_rpm"], "not_supported");
  EXPECT_EQ(json["devices"][2]["missing"]["temperature_celsius"], "asleep");
  EXPECT_EQ(json["devices"][2]["attention"], "asleep");
  EXPECT_EQ(json["devices"][3]["missing"]["temperature_celsius"], "failed");
  EXPECT_EQ(json["devices"][3]["reason"], "driver did not answer");
  EXPECT_EQ(json["devices"][0]["reason"], nullptr);
}

TEST(StatusJsonTest, SaysHowFastWorkMayGoAndWhy) {
  Snapshot snapshot = four_gpus();
  snapshot.devices[1].throttling = {
      .state = State::normal,
      .state_since = snapshot.taken_at - std::chrono::seconds(4),
      .speed_multiplier = 0.5,
      .requests = {
          {.cause = ThrottleCause::operator_request,
           .multiplier = 0.5,
           .reason = "asked for by root",
           .since = snapshot.taken_at,
           .until = snapshot.monotonic + std::chrono::seconds(90)},
          {.cause = ThrottleCause::thermal, .multiplier = 0.8, .reason = "70 °C", .since = snapshot.taken_at}}};
  const Json json = Json::parse(snapshot_json(snapshot, false));
  EXPECT_EQ(json["devices"][1]["throttling"],
            Json::parse(R"({"state": "normal", "state_since": "2026-05-28T20:26:36.250Z", "speed_multiplier": 0.5,
                            "should_throttle": true,
      "thresholds": {"temp_optimal": 65.0, "temp_normal": 75.0, "temp_throttle": 85.0, "temp_critical": 90.0,
                     "memory_optimal": 70.0, "memory_normal": 85.0, "memory_critical": 95.0}, "requests": [
      {"cause": "operator", "speed_multiplier": 0.5, "reason": "asked for by root",
       "since": "2026-05-28T20:26:40.250Z", "until": "2026-05-28T20:28:10.250Z"},
      {"cause": "thermal", "speed_multiplier": 0.8, "reason": "70 °C", "since": "2026-05-28T20:26:40.250Z",
       "until": null}]})"));
  EXPECT_EQ(json["devices"][0]["throttling"]["speed_multiplier"], 1.0);
  EXPECT_EQ(json["speed_multiplier"], 0.5) << "that of the slowest";
  EXPECT_EQ(json["state"], "unavailable") << "the worst: nobody has governed the others";
}

TEST(StatusJsonTest, SaysWhatIsBookedWhereABookIsKept) {
  Snapshot snapshot = four_gpus();
  EXPECT_EQ(Json::parse(snapshot_json(snapshot, false))["book"], nullptr);
  EXPECT_EQ(Json::parse(snapshot_json(snapshot, false))["devices"][0]["booking"], nullptr);
  Booked book;
  book.devices = {{.id = DeviceId{"GPU-aaaa"},
                   .capacity = from_mib(80'000),
                   .available = from_mib(30'000),
                   .unmanaged = missing(Missing::failed),
                   .booked = from_mib(50'000),
                   .charged = from_mib(50'500),
                   .leases = 2,
                   .ours = {4242},
                   .foreign = {}}};
  snapshot.booked = std::make_shared<const Booked>(book);
  const Json json = Json::parse(snapshot_json(snapshot, false));
  EXPECT_EQ(json["book"].dump(), R"({"closed":null})");
  EXPECT_EQ(json["devices"][0]["booking"].dump(),
            R"({"capacity_bytes":83886080000,"booked_bytes":52428800000,"available_bytes":31457280000,)"
            R"("unmanaged_bytes":null,"charged_bytes":52953088000,"draining_bytes":0,"leaked_bytes":0,"leases":2,)"
            R"("missing":{"unmanaged_bytes":"failed"}})");
  EXPECT_EQ(json["devices"][1]["booking"], nullptr) << "it has no account";
  book.closed = "gpukeeper has just begun";
  snapshot.booked = std::make_shared<const Booked>(book);
  EXPECT_EQ(Json::parse(snapshot_json(snapshot, false))["book"]["closed"], "gpukeeper has just begun");
}

TEST(StatusJsonTest, ProcessesKeepAbsentAndZeroApart) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  auto idle = process(1, "idle", 0);
  auto hidden = process(2, "", 0);
  hidden.memory = missing(Missing::not_permitted);
  set_processes(d, {idle, hidden});
  const Json json = Json::parse(snapshot_json(machine({d}), false));
  EXPECT_EQ(json["devices"][0]["processes"][0]["memory_bytes"], 0);
  EXPECT_EQ(json["devices"][0]["processes"][1]["memory_bytes"], nullptr);
  EXPECT_EQ(json["devices"][0]["processes"][1]["name"], "");
}

TEST(StatusJsonTest, AProcessSaysWhoItIsAndWhatIsNotKnownHasItsReason) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts known = mara_trains(1);
  known.executable = missing(Missing::not_permitted);
  ProcessFacts nowhere;
  nowhere.place = ProcessPlace{};
  nowhere.root = std::optional<InteractiveRoot>();
  set_processes(d, {told(process(1, "python3", 1), known), told(process(2, "x", 1), nowhere), process(3, "y", 1)});
  const Json json = Json::parse(snapshot_json(machine({d}), false));
  const Json& told = json["devices"][0]["processes"][0];
  EXPECT_EQ(told["user"], "mara");
  EXPECT_EQ(told["uid"], 1000);
  EXPECT_EQ(told["command_line"], "/usr/bin/python3 train.py --epochs 90");
  EXPECT_EQ(told["executable"], nullptr);
  EXPECT_EQ(told["missing"]["executable"], "not_permitted");
  EXPECT_EQ(told["started_at"], "2026-05-28T18:26:40.000Z");
  EXPECT_EQ(told["cpu_percent"], 118.0);
  EXPECT_EQ(told["resident_bytes"], 6'442'450'944);
  EXPECT_EQ(told["unit"], "session-4.scope");
  EXPECT_EQ(told["container"], nullptr);
  EXPECT_FALSE(told["missing"].contains("container")) << "it is known to be in none";
  EXPECT_EQ(told["root"].dump(), R"({"pid":4100,"name":"bash","terminal":"pts/2"})");
  EXPECT_EQ(told["class"].dump(),
            R"({"kind":"ml_training","rule":"training-script","reason":"it runs train.py","confidence":0.9})");

  EXPECT_EQ(told["pod"], nullptr);

  const Json& stray = json["devices"][0]["processes"][1];
  EXPECT_EQ(stray["root"], nullptr);
  EXPECT_FALSE(stray["missing"].contains("root"));
  EXPECT_EQ(stray["class"]["kind"], "unknown");
  EXPECT_EQ(stray["class"]["rule"], nullptr);

  const Json& unasked = json["devices"][0]["processes"][2];
  for (const char* member : {"user", "uid", "command_line", "executable", "started_at", "cpu_percent", "resident_bytes",
                             "pid_in_namespace", "container", "pod_uid", "pod", "unit", "slurm_job", "root", "class"}) {
    EXPECT_FALSE(unasked.contains(member)) << member;
  }
  EXPECT_EQ(unasked["missing"]["utilization_percent"], "not_supported");
}

TEST(StatusJsonTest, PodsHaveTheNamesThatAreKnown) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts named = mara_trains(1);
  named.place = ProcessPlace{.pod_uid = "5c6a", .pod = PodNames{"ml", "trainer-0", "main"}};
  ProcessFacts half = mara_trains(2);
  half.place = ProcessPlace{.pod_uid = "5c6a", .pod = PodNames{"ml", "trainer-0", ""}};
  set_processes(d, {told(process(1, "a", 1), named), told(process(2, "b", 1), half)});
  const Json processes = Json::parse(snapshot_json(machine({d}), false))["devices"][0]["processes"];
  EXPECT_EQ(processes[0]["pod"].dump(), R"({"namespace":"ml","name":"trainer-0","container":"main"})");
  EXPECT_EQ(processes[1]["pod"].dump(), R"({"namespace":"ml","name":"trainer-0","container":null})");
}

TEST(StatusJsonTest, CommandLinesCanBeLeftOut) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  set_processes(d, {told(process(1, "python3", 1), mara_trains(1))});
  const std::string text = snapshot_json(machine({d}), false, CommandLines::left_out);
  EXPECT_EQ(text.find("train.py --epochs"), std::string::npos);
  const Json process = Json::parse(text)["devices"][0]["processes"][0];
  EXPECT_FALSE(process.contains("command_line"));
  EXPECT_FALSE(process["missing"].contains("command_line"));
  EXPECT_EQ(process["user"], "mara");
}

TEST(StatusJsonTest, PartitionsHaveTheSameKeysAsDevices) {
  const Json json = Json::parse(snapshot_json(split_gpu(), false));
  const Json& whole = json["devices"][0];
  ASSERT_EQ(whole["partitions"].size(), 2u);
  for (const auto& [key, value] : whole.items()) EXPECT_TRUE(whole["partitions"][1].contains(key)) << key;
  EXPECT_EQ(whole["partitions"][1]["partition"], "3g.40gb (GPU instance 2)");
  EXPECT_EQ(whole["processes"][0]["partition_uuid"], "MIG-1");
}

TEST(StatusJsonTest, ANumberThatIsNoneIsNull) {
  Reading r = busy();
  r.power = Watts(std::numeric_limits<double>::quiet_NaN());
  r.clock_graphics = Megahertz(std::numeric_limits<double>::infinity());
  r.temperature = Celsius(-0.0001);
  const Json json = Json::parse(snapshot_json(machine({device(0, facts("GPU-a", "A", "0000:01:00.0"), r)}), false));
  EXPECT_EQ(json["devices"][0]["metrics"]["power_watts"], nullptr);
  EXPECT_EQ(json["devices"][0]["missing"]["power_watts"], "failed");
  EXPECT_EQ(json["devices"][0]["metrics"]["clock_graphics_mhz"], nullptr);
  EXPECT_EQ(json["devices"][0]["metrics"]["temperature_celsius"].dump(), "0.0");
}

TEST(StatusJsonTest, NamesThatAreNoUtf8StillMakeJson) {
  const std::string text =
      snapshot_json(machine({device(0, facts("GPU-a", "bad \xff name\x1b", "0000:01:00.0"), busy())}), false);
  EXPECT_EQ(Json::parse(text)["devices"][0]["name"], "bad \xef\xbf\xbd name\x1b");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(StatusJsonTest, OneLineOnlyWhenNotIndented) {
  EXPECT_EQ(snapshot_json(four_gpus(), false).find('\n'), std::string::npos);
  EXPECT_NE(snapshot_json(four_gpus(), true).find('\n'), std::string::npos);
}

TEST(StatusSchemaTest, DescribesEveryMetricOfTheTable) {
  const Json schema = Json::parse(snapshot_schema());
  const Json& metrics = schema["$defs"]["metrics"]["properties"];
  ASSERT_EQ(metrics.size(), metric_table().size());
  EXPECT_EQ(metrics["memory_used_bytes"]["type"][0], "integer");
  EXPECT_EQ(metrics["fan_percent"]["maximum"], 100);
}

}  // namespace
}  // namespace gpukeeper
