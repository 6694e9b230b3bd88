#include "service/documented/gpu_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "documented_service.hpp"

namespace gpukeeper::service::documented {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::IsEmpty;

class GpuConfigTest : public testing::Test {
 protected:
  Response put(const std::string& body) { return service_.change("PUT", "/api/gpu/config", body); }
  void expect_refusal(const std::string& body, const std::string& error) {
    const auto refused = put(body);
    EXPECT_EQ(refused.status, 400u) << body;
    EXPECT_EQ(json::parse(*refused.body).dump(), json({{"error", error}, {"success", false}}).dump());
  }
  json config() { return service_.document("/api/gpu/config")["data"]; }

  DocumentedService service_{machine({device(0, facts("GPU-a", "NVIDIA L4", "0000:01:00.0"), busy())})};
};

TEST_F(GpuConfigTest, TheThirteenKeysAreIntegers) {
  EXPECT_EQ(config().dump(),
            R"({"critical_pause_seconds":60,"history_size":200,"memory_critical":95,"memory_limit_mb":6144,)"
            R"("memory_normal":85,"memory_optimal":70,"memory_reserve_mb":512,"monitor_interval":3,)"
            R"("temp_critical":90,"temp_normal":75,"temp_optimal":65,"temp_throttle":85,)"
            R"("throttle_cooldown_seconds":30})");
}

TEST_F(GpuConfigTest, AChangeIsAnsweredWithTheWholeConfiguration) {
  const auto changed = put(R"({"temp_throttle":80,"memory_limit_mb":7168})");
  EXPECT_EQ(changed.status, 200u);
  const json document = json::parse(*changed.body);
  EXPECT_EQ(document["message"], "Configuration updated");
  EXPECT_EQ(document["data"].size(), 13u);
  EXPECT_EQ(document["data"]["temp_throttle"], 80);
  EXPECT_EQ(config(), document["data"]);
}

TEST_F(GpuConfigTest, ANewLimitHoldsForWhatIsAllocatedAlready) {
  const std::string body = R"({"allocation_id":"a","required_mb":6144})";
  EXPECT_EQ(service_.change("POST", "/api/gpu/memory/allocate", body).status, 200u);
  EXPECT_EQ(put(R"({"memory_limit_mb":7168})").status, 200u);
  const auto more = service_.change("POST", "/api/gpu/memory/allocate", R"({"allocation_id":"b","required_mb":24})");
  EXPECT_EQ(json::parse(*more.body)["data"]["available_mb"], 1000);
}

TEST_F(GpuConfigTest, UnknownKeysAreLeftOutAndTheLogSaysSo) {
  static_cast<void>(service_.log());
  const auto changed = put(R"({"no_such\u001bkey":1,"temp_optimal":60})");
  EXPECT_EQ(changed.status, 200u);
  EXPECT_EQ(json::parse(*changed.body)["data"]["temp_optimal"], 60);
  EXPECT_THAT(service_.log(), Contains("warning: PUT /api/gpu/config: unknown keys are ignored: no_such?key"));
  EXPECT_EQ(put(R"({"source":"nvml"})").status, 200u);  // a key of gpukeeper, and none of the GPU manager
}

TEST_F(GpuConfigTest, WhatSaysNothingIsRefused) {
  for (const std::string body : {"{}", "null", "[]", "\"\"", "0", "false"}) {
    expect_refusal(body, "No configuration data provided");
  }
}

TEST_F(GpuConfigTest, AWrongValueChangesNothing) {
  const json before = config();
  const std::string no = "Failed to update configuration: ";
  expect_refusal("[1]", no + R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})");
  expect_refusal(R"({"temp_throttle":"hot"})", no + "temp_throttle: 'hot' is no number");
  expect_refusal(R"({"temp_throttle":null})", no + "temp_throttle takes a number");
  expect_refusal(R"({"temp_throttle":[[[[80]]]]})", no + "temp_throttle takes a number");
  expect_refusal(R"({"temp_throttle":true})", no + "temp_throttle takes a number");
  expect_refusal(R"({"temp_throttle":60})",
                 no + "temp_throttle: 60 is not above temp_normal (75); as things stand temp_throttle may be 78 to 90");
  expect_refusal(R"({"monitor_interval":-1})", no + "monitor_interval: -1 is not from 100ms to 24h");
  EXPECT_EQ(config(), before);
}

TEST_F(GpuConfigTest, AllThatIsWrongStandsInOneLine) {
  expect_refusal(R"({"history_size":0,"monitor_interval":0})",
                 "Failed to update configuration: 2 mistakes in the configuration: history_size: 0 is not from 1 to "
                 "1000000; monitor_interval: 0 is not from 100ms to 24h");
}

TEST_F(GpuConfigTest, OverTcpAChangeTakesAToken) {
  const auto refused =
      service_.ask("PUT", "/api/gpu/config", {}, R"({"temp_throttle":80})", {{"Content-Type", "application/json"}});
  EXPECT_EQ(refused.status, 401u);
  EXPECT_EQ(config()["temp_throttle"], 85);
}

TEST_F(GpuConfigTest, MonitoringIsTurnedOnAndOff) {
  const auto turn = [&](const std::string& to) {
    return *service_.change("POST", "/api/gpu/monitoring/" + to, "whatever").body;
  };
  EXPECT_EQ(turn("start"), "{\"message\":\"GPU monitoring started\",\"success\":true}\n");
  EXPECT_TRUE(service_.monitoring());
  EXPECT_EQ(turn("start"), "{\"message\":\"GPU monitoring started\",\"success\":true}\n");
  EXPECT_EQ(turn("stop"), "{\"message\":\"GPU monitoring stopped\",\"success\":true}\n");
  EXPECT_FALSE(service_.monitoring());
  EXPECT_THAT(service_.log(), IsEmpty());
}

TEST(GpuConfigWithoutAGpuTest, MonitoringSucceedsAndTheLogSaysWhatIsMissing) {
  DocumentedService service(machine({}));
  static_cast<void>(service.change("POST", "/api/gpu/monitoring/stop", ""));
  EXPECT_EQ(*service.change("POST", "/api/gpu/monitoring/start", "").body,
            "{\"message\":\"GPU monitoring started\",\"success\":true}\n");
  EXPECT_FALSE(service.monitoring());
  EXPECT_THAT(service.log(), Contains("warning: Cannot start monitoring - GPU not available"));
}

}  // namespace
}  // namespace gpukeeper::service::documented
