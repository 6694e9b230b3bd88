#include "format/alerts_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/alert_rules.hpp"
#include "format/gpu_alert_json.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Alert full() {
  return {.id = "12",
          .rule = "miner",
          .device = DeviceId{"GPU-aaaa"},
          .device_index = 0,
          .subject = "77",
          .level = AlertLevel::critical,
          .severity = 85,
          .phase = AlertPhase::firing,
          .value = 0.5,
          .threshold = 0.25,
          .message = "GPU 0: process 77 looks like a miner",
          .remedy = "Find out.",
          .link = "docs/alerts.md#miner",
          .since = kThen,
          .fired_at = kThen + 10s,
          .resolved_at = kThen + 11s,
          .unknown_since = kThen + 12s,
          .acknowledged_by = "mara",
          .acknowledged_until = kThen + 13s,
          .comment = "I look",
          .silenced = true,
          .silenced_until = kThen + 14s};
}

Snapshot with(AlertList alerts) {
  Snapshot snapshot = four_gpus();
  snapshot.lamp = Lamp::red;
  snapshot.devices[0].lamp = Lamp::red;
  snapshot.alerts = std::make_shared<const AlertList>(std::move(alerts));
  return snapshot;
}

TEST(AlertsJsonTest, WhatIsWrittenIsReadAgain) {
  const AlertList alerts = {full(), {.id = "13", .rule = "host_cpu", .message = "busy", .since = kThen}};
  const auto document = parse_alerts(alerts_json(alerts, with({}), false));
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->alerts, alerts);
  EXPECT_EQ(document->host, "gpu-box");
  EXPECT_EQ(document->lamp, Lamp::red);
  EXPECT_EQ(document->devices, 4U);
  EXPECT_TRUE(document->made_up.empty());
  EXPECT_EQ(document->taken_at, kThen + 250ms);
}

TEST(AlertsJsonTest, TheDocumentKeepsToItsSchema) {
  const Json document = Json::parse(alerts_json({full()}, with({full()}), true));
  const Json schema = Json::parse(alerts_schema());
  for (const auto& name : schema["required"]) EXPECT_TRUE(document.contains(name)) << name;
  const Json& described = schema["$defs"]["alert"];
  for (const auto& [name, value] : document["alerts"][0].items()) {
    EXPECT_TRUE(described["properties"].contains(name)) << name;
  }
  for (const auto& name : described["required"]) EXPECT_TRUE(document["alerts"][0].contains(name)) << name;
  EXPECT_EQ(document["devices"][0]["lamp"], "red");
  EXPECT_EQ(document["devices"][3]["lamp"], "off");
}

TEST(AlertsJsonTest, FiringOnesOfTheDevicesAskedForAreChosen) {
  Alert pending = full();
  pending.phase = AlertPhase::pending;
  Alert other = full();
  other.device = DeviceId{"GPU-bbbb"};
  Alert host = full();
  host.device.reset();
  const Snapshot snapshot = with({full(), other, host, pending});
  EXPECT_EQ(choose_alerts(snapshot, {})->size(), 3U);
  EXPECT_EQ(choose_alerts(snapshot, {.all = true})->size(), 4U);
  EXPECT_THAT(*choose_alerts(snapshot, {.devices = {"1"}}), ElementsAre(other));
  EXPECT_THAT(*choose_alerts(snapshot, {.all = true, .devices = {"GPU-aaaa"}}), ElementsAre(full(), pending));
  EXPECT_EQ(choose_alerts(snapshot, {.devices = {"9"}}).error().code, Errc::not_found);
}

TEST(AlertsJsonTest, WhatIsMadeUpIsKnownInTheDocumentToo) {
  const Snapshot snapshot = simulated_gpu();
  const std::map<DeviceId, std::string> expected = {{DeviceId{"GPU-sim"}, "simulated"}};
  EXPECT_EQ(alerts_document(snapshot, {}).made_up, expected);
  EXPECT_EQ(parse_alerts(alerts_json({}, snapshot, false))->made_up, expected);
}

TEST(AlertsJsonTest, ForeignDocumentsAreReadAsFarAsTheyGo) {
  for (const char* text :
       {"", "null", "[]", "{}", R"({"schema": "gpukeeper.alerts/1"})",
        R"({"schema": "gpukeeper.alerts/1", "alerts": {}})", R"({"schema": "gpukeeper.alerts/2", "alerts": []})"}) {
    EXPECT_EQ(parse_alerts(text).error().message, "the daemon's answer is no document of gpukeeper.alerts/1") << text;
  }
  const auto odd = parse_alerts(
      R"({"schema": "gpukeeper.alerts/1", "lamp": 3, "devices": 7, "alerts": [5, {"severity": 1e9, "level": "loud",
          "since": "never", "uuid": 3, "id": null}]})");
  ASSERT_TRUE(odd);
  ASSERT_EQ(odd->alerts.size(), 1U);
  EXPECT_EQ(odd->alerts[0].phase, AlertPhase::resolved);
  EXPECT_EQ(odd->lamp, Lamp::off);
}

TEST(AlertsJsonTest, SilencesAreWrittenAndRead) {
  const SilenceList silences = {{.matcher = {.rule = "thermal"}, .begun = kThen, .by = "configuration"},
                                {.id = "3",
                                 .matcher = {.rule = "*", .device = "0", .level = AlertLevel::info},
                                 .begun = kThen,
                                 .until = kThen + 1h,
                                 .by = "mara",
                                 .comment = "x"}};
  EXPECT_EQ(parse_silences(silences_json(silences, true)), silences);
  EXPECT_EQ(Json::parse(silence_json(silences[1]))["until"], "2026-05-28T21:26:40.000Z");
  EXPECT_EQ(parse_silences("{}").error().message, "the daemon's answer is no document of gpukeeper.silences/1");
}

TEST(AlertsJsonTest, RulesAreThoseOfTheTable) {
  const Json rules = Json::parse(rules_json(false))["rules"];
  EXPECT_EQ(rules.size(), rule_table().size());
  EXPECT_EQ(rules[0]["id"], "thermal");
  EXPECT_EQ(rules[0]["sustain_seconds"], 120);
  EXPECT_EQ(rules[0]["critical"], 90);
}

TEST(GpuAlertJsonTest, EachIsAnObjectWithOneKey) {
  EXPECT_EQ(to_json(ThermalThrottling{0, 85, 80}), R"({"ThermalThrottling":{"device":0,"temp":85,"threshold":80}})");
  EXPECT_EQ(to_json(MemoryPressure{1, 92, 90}), R"({"MemoryPressure":{"device":1,"used_percent":92,"threshold":90}})");
  EXPECT_EQ(to_json(PowerLimit{2, 97, 95}), R"({"PowerLimit":{"device":2,"power_percent":97,"threshold":95}})");
  EXPECT_EQ(to_json(GpuIdle{3, 45}), R"({"GpuIdle":{"device":3,"duration_secs":45}})");
}

TEST(GpuAlertJsonTest, EachComesBack) {
  for (const GpuAlert& alert : {GpuAlert(ThermalThrottling{0, 85, 80}), GpuAlert(MemoryPressure{1, 92, 90}),
                                GpuAlert(PowerLimit{2, 97, 95}), GpuAlert(GpuIdle{4'294'967'295, 45})}) {
    EXPECT_EQ(parse_gpu_alert(to_json(alert)), alert);
  }
}

TEST(GpuAlertJsonTest, WhatIsWrongIsSaid) {
  struct Case {
    const char* json;
    const char* message;
  };
  const char* const shape = "an alert is an object with one key, its kind, that holds an object";
  for (const auto& [json, message] :
       {Case{"", shape}, Case{"[]", shape}, Case{"{}", shape}, Case{R"({"GpuIdle":3})", shape},
        Case{R"({"GpuIdle":{},"PowerLimit":{}})", shape},
        Case{R"({"GpuHot":{}})",
             "'GpuHot' is no kind of alert: there are ThermalThrottling, MemoryPressure, PowerLimit and GpuIdle"},
        Case{R"({"GpuIdle":{"device":0}})", "GpuIdle: 'duration_secs' must be a whole number from 0 to 4294967295"},
        Case{R"({"GpuIdle":{"device":-1,"duration_secs":4}})",
             "GpuIdle: 'device' must be a whole number from 0 to 4294967295"},
        Case{R"({"PowerLimit":{"device":4294967296,"power_percent":4,"threshold":3}})",
             "PowerLimit: 'device' must be a whole number from 0 to 4294967295"}}) {
    const auto parsed = parse_gpu_alert(json);
    ASSERT_FALSE(parsed) << json;
    EXPECT_EQ(parsed.error().message, message);
  }
}

}  // namespace
}  // namespace gpukeeper
