#include "service/documented/gpu_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "documented_service.hpp"
#include "fakes/past.hpp"

namespace gpukeeper::service::documented {
namespace {

using nlohmann::json;
using testing::ElementsAre;

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

DeviceSnapshot gpu(std::uint32_t index, Reading reading) {
  return device(index, facts("GPU-" + std::to_string(index), "NVIDIA L4", "0000:01:00.0"), std::move(reading));
}

TEST(GpuApiTest, AStatusHasTheDocumentedKeysAndTypes) {
  DocumentedService service(machine({gpu(0, busy())}));
  const json answer = service.document("/api/gpu/status");
  EXPECT_THAT(keys(answer), ElementsAre("data", "success"));
  const json& status = answer["data"];
  EXPECT_THAT(keys(status), ElementsAre("available", "gpu_id", "load_percent", "memory", "name", "state",
                                        "temperature_celsius", "thresholds", "throttling", "timestamp"));
  EXPECT_EQ(status["temperature_celsius"].dump(), "64.0");  // a float, whatever its value
  EXPECT_EQ(status["gpu_id"].dump(), "0");
  EXPECT_EQ(status["thresholds"].dump(),
            R"({"temp_critical":90,"temp_normal":75,"temp_optimal":65,"temp_throttle":85})");
  EXPECT_EQ(status["memory"]["total_mb"].dump(), "81559.0");
  EXPECT_EQ(status["memory"]["allocation_stats"].dump(),
            R"({"allocated_mb":0,"allocation_count":0,"allocations":{},"available_mb":6144,"limit_mb":6144,)"
            R"("total_mb":81559.0})");
  EXPECT_EQ(status["throttling"].dump(), R"({"is_throttled":false,"should_throttle":false,"speed_multiplier":1.0})");
}

TEST(GpuApiTest, WhatAGpuDoesNotReportIsNull) {
  Reading reading{Missing::not_supported};
  reading.temperature = Celsius(50);
  DocumentedService service(machine({gpu(0, reading)}));
  const json status = service.document("/api/gpu/status")["data"];
  EXPECT_TRUE(status["load_percent"].is_null());
  EXPECT_TRUE(status["memory"]["used_mb"].is_null());
  EXPECT_TRUE(status["memory"]["percent"].is_null());
  EXPECT_TRUE(status["memory"]["allocation_stats"]["available_mb"].is_null());
  EXPECT_TRUE(service.document("/api/gpu/metrics")["data"]["memory_percent"].is_null());
  EXPECT_TRUE(service.document("/api/gpu/memory/available")["data"]["available_mb"].is_null());
}

TEST(GpuApiTest, NoNumberOfAGpuMeansAllOfThem) {
  DocumentedService service(four_gpus());
  const std::string all = *service.get("/api/gpu/status/all").body;
  const std::string none = *service.get("/api/gpu/status", {{"gpu_id", "-1"}}).body;
  EXPECT_NE(none, all);
  EXPECT_EQ(*service.get("/api/gpu/status/all").body, all);
  EXPECT_EQ(*service.get("/api/gpu/status", {{"gpu_id", "-1"}}).body, none);
}

TEST(GpuApiTest, AGpuThatIsLostIsNotAvailable) {
  DocumentedService service(four_gpus());
  EXPECT_EQ(service.document("/api/gpu/status", {{"gpu_id", "3"}})["data"].dump(),
            R"({"available":false,"error":"Failed to get GPU metrics","state":"unavailable"})");
  EXPECT_EQ(service.get("/api/gpu/metrics", {{"gpu_id", "3"}}).status, 404u);
}

TEST(GpuApiTest, WhatIsSimulatedSaysSoAndWhatIsRealHasNoKeyMore) {
  DocumentedService real(machine({gpu(0, busy())}));
  EXPECT_FALSE(real.document("/api/gpu/status")["data"].contains("simulated"));
  DocumentedService simulated(simulated_gpu());
  EXPECT_EQ(simulated.document("/api/gpu/status")["data"]["simulated"], true);
  const json metrics = simulated.document("/api/gpu/metrics");
  EXPECT_EQ(metrics["data"]["simulated"], true);
  EXPECT_EQ(metrics["gpus"][0]["simulated"], true);
}

TEST(GpuApiTest, TheStatusIsWrittenAnewWithEverySnapshot) {
  DocumentedService service(machine({gpu(0, busy())}));
  EXPECT_EQ(service.get("/api/gpu/status").body, service.get("/api/gpu/status").body);  // the same text, not a copy
  Snapshot next = machine({gpu(0, busy())});
  next.sequence = 8;
  next.devices[0].reading.temperature = Celsius(71);
  service.see(std::move(next));
  EXPECT_EQ(service.document("/api/gpu/status")["data"]["temperature_celsius"], 71.0);
}

TEST(GpuApiTest, HeatThatHoldsWorkBackIsThrottlingAndAnOperatorIsNot) {
  Snapshot snapshot = machine({gpu(0, busy()), gpu(1, busy())});
  Throttling& first = snapshot.devices[0].throttling;
  first.state = State::throttled;
  first.speed_multiplier = 0.5;
  first.requests = {{ThrottleCause::thermal, 0.5, "84 °C, above 75 °C"}};
  Throttling& second = snapshot.devices[1].throttling;
  second.state = State::optimal;
  second.speed_multiplier = 0;
  second.requests = {{ThrottleCause::operator_request, 0, "an operator asked for it"}};
  DocumentedService service(std::move(snapshot));
  EXPECT_EQ(service.document("/api/gpu/status", {{"gpu_id", "0"}})["data"]["throttling"].dump(),
            R"({"is_throttled":true,"should_throttle":true,"speed_multiplier":0.5})");
  EXPECT_EQ(service.document("/api/gpu/status", {{"gpu_id", "1"}})["data"]["throttling"].dump(),
            R"({"is_throttled":false,"should_throttle":true,"speed_multiplier":0.0})");
  EXPECT_EQ(service.document("/api/gpu/throttle/status")["data"].dump(),
            R"({"current_state":"throttled","is_throttled":true,"should_throttle":true,"speed_multiplier":0.0})");
}

class GpuPastTest : public testing::Test {
 protected:
  // Five minutes of two GPUs, of which the first heats by 6 degrees a minute.
  GpuPastTest() {
    Snapshot last;
    for (int second = 0; second <= 300; ++second) {
      last = gpukeeper::Past::snapshot(
          second, {gpukeeper::Past::gpu(40 + second * 0.1, "GPU-a", 0), gpukeeper::Past::gpu(50, "GPU-b", 1)});
      history_->add(last);
    }
    service_.emplace(std::move(last), history_);
  }

  std::shared_ptr<History> history_ = std::make_shared<History>();
  std::optional<DocumentedService> service_;
};

TEST_F(GpuPastTest, HistoryIsOfEveryGpuInTurnOldestFirst) {
  const json data = service_->document("/api/gpu/metrics/history", {{"limit", "3"}})["data"];
  EXPECT_EQ(data["count"], 3);
  EXPECT_EQ(data["metrics"][0]["gpu_id"], 1);
  EXPECT_EQ(data["metrics"][1]["gpu_id"], 0);
  EXPECT_EQ(data["metrics"][2]["gpu_id"], 1);
  EXPECT_LT(data["metrics"][0]["timestamp"], data["metrics"][1]["timestamp"]);
  EXPECT_THAT(keys(data["metrics"][2]),
              ElementsAre("gpu_id", "load_percent", "memory_percent", "state", "temperature_celsius", "timestamp"));
}

TEST_F(GpuPastTest, HistoryOfOneGpuAndAsMuchOfItAsIsWanted) {
  const auto count = [&](std::map<std::string, std::string> query) {
    return service_->document("/api/gpu/metrics/history", std::move(query))["data"]["count"].get<int>();
  };
  EXPECT_EQ(count({}), 100);
  EXPECT_EQ(count({{"limit", "0"}}), 202);  // all that is kept
  EXPECT_EQ(count({{"limit", "-5"}}), 100);
  EXPECT_EQ(count({{"limit", "all"}}), 100);
  EXPECT_EQ(count({{"limit", "0"}, {"gpu_id", "1"}}), 101);
  EXPECT_EQ(count({{"gpu_id", "7"}}), 0);
  EXPECT_EQ(count({{"gpu_id", "abc"}}), 100);
}

TEST_F(GpuPastTest, ATrendHasTheDocumentedKeys) {
  const json trend = service_->document("/api/gpu/temperature/trend", {{"duration", "2"}})["data"];
  EXPECT_THAT(keys(trend), ElementsAre("avg_temp", "current_temp", "duration_minutes", "is_stable", "max_temp",
                                       "min_temp", "sample_count", "trend"));
  EXPECT_EQ(trend["duration_minutes"], 2);
  EXPECT_EQ(trend["current_temp"], 70.0);
  EXPECT_EQ(trend["trend"], "rising");
  EXPECT_EQ(trend["is_stable"], false);
  EXPECT_EQ(service_->document("/api/gpu/temperature/trend", {{"gpu_id", "1"}})["data"]["trend"], "stable");
}

TEST_F(GpuPastTest, ATrendOfNothingIsEmpty) {
  const auto data = [&](std::map<std::string, std::string> query) {
    return service_->document("/api/gpu/temperature/trend", std::move(query))["data"].dump();
  };
  EXPECT_EQ(data({{"gpu_id", "7"}}), "{}");
  EXPECT_EQ(data({{"duration", "0"}}), "{}");
  EXPECT_EQ(data({{"duration", "-1"}}), "{}");
  EXPECT_NE(data({{"duration", "9223372036854775807"}}), "{}");
}

TEST(GpuApiTest, BeforeTheFirstSnapshotItSaysSoInTheirWords) {
  DocumentedService service{Snapshot()};
  for (const std::string path : {"status", "metrics", "metrics/history", "temperature/trend", "throttle/status"}) {
    const auto answer = service.get("/api/gpu/" + path);
    EXPECT_EQ(answer.status, 503u) << path;
    EXPECT_EQ(*answer.body,
              "{\"error\":\"the GPUs are being looked at for the first time: try again in a second\","
              "\"success\":false}\n");
  }
}

}  // namespace
}  // namespace gpukeeper::service::documented
