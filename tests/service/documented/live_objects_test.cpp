#include "service/documented/live_objects.hpp"

#include <gtest/gtest.h>

#include "busy_machine.hpp"

namespace gpukeeper::service::documented {
namespace {

using namespace std::chrono_literals;

Snapshot one_gpu(double utilization, double temperature) {
  Reading reading = busy();
  reading.utilization = Percent(utilization);
  reading.temperature = Celsius(temperature);
  return machine({device(0, facts("GPU-a", "NVIDIA L4", "0000:01:00.0"), reading)});
}

MachineFacts idle_machine() {
  MachineFacts facts = busy_machine();
  facts.memory->available = from_mib(15'000);
  return facts;
}

TEST(LiveObjectsTest, HowUrgentItIs) {
  const auto of = [](const Snapshot& snapshot, const MachineFacts& facts) { return urgency_of(snapshot, &facts); };
  EXPECT_EQ(of(one_gpu(10, 40), idle_machine()), Urgency::standard);
  EXPECT_EQ(of(one_gpu(50, 80), idle_machine()), Urgency::standard);
  EXPECT_EQ(of(one_gpu(51, 40), idle_machine()), Urgency::important);
  EXPECT_EQ(of(one_gpu(10, 81), idle_machine()), Urgency::critical);
  MachineFacts facts = idle_machine();
  facts.processors.usage = Percent(71);
  EXPECT_EQ(of(one_gpu(10, 40), facts), Urgency::important);
  facts.processors.usage = Percent(91);
  EXPECT_EQ(of(one_gpu(10, 40), facts), Urgency::critical);
  EXPECT_EQ(urgency_of(one_gpu(10, 40), nullptr), Urgency::standard);
  EXPECT_EQ(period_of(Urgency::critical), 1s);
  EXPECT_EQ(period_of(Urgency::important), 2s);
  EXPECT_EQ(period_of(Urgency::standard), 5s);
}

TEST(LiveObjectsTest, AProcessOnAGpuIsImportantAndAMinerUrgent) {
  Snapshot snapshot = one_gpu(10, 40);
  set_processes(snapshot.devices[0], {process(7, "python3", 100)});
  EXPECT_EQ(urgency_of(snapshot, nullptr), Urgency::important);
  ProcessFacts miner;
  miner.classification = {ProcessClass::mining, "pool", "it talks to a pool", 0.9};
  set_processes(snapshot.devices[0], {told(process(7, "x\x1b[2J", 100), miner)});
  EXPECT_EQ(urgency_of(snapshot, nullptr), Urgency::critical);
  const Json alerts = live_alerts(snapshot, nullptr);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0]["type"], "security");
  EXPECT_EQ(alerts[0]["category"], "suspected_miner");
  EXPECT_EQ(alerts[0]["message"], "Suspected cryptocurrency miner detected: x?[2J");
  EXPECT_EQ(alerts[0]["gpu_id"], 0);
}

TEST(LiveObjectsTest, AnUpdateHasTheDocumentedKeys) {
  const MachineFacts facts = busy_machine();
  Snapshot snapshot = one_gpu(97, 60);
  set_processes(snapshot.devices[0], {told(process(7, "python3", 100), mara_trains(7))});
  const Json update = metrics_update(snapshot, &facts, Urgency::important, 3);
  EXPECT_EQ(update["urgency"], "important");
  EXPECT_EQ(update["update_count"], 3);
  EXPECT_EQ(update["gpu"]["gpus"][0]["processes"].dump(),
            R"([{"gpu_memory_mb":100,"is_game":false,"is_ml_training":true,"is_suspected_miner":false,)"
            R"("is_video_processing":false,"name":"python3","pid":7,"process_type":"ml"}])");
  EXPECT_EQ(update["system"]["top_processes"][0]["pid"], 4242);
  EXPECT_EQ(update["system"]["top_processes"][0]["command_line"], nullptr);
}

TEST(LiveObjectsTest, WhatIsNotThereIsSaidToBeUnavailable) {
  const Json update = metrics_update(machine({}), nullptr, Urgency::standard, 1);
  EXPECT_EQ(update["gpu"].dump(), R"({"available":false,"gpus":[]})");
  EXPECT_EQ(update["system"].dump(), R"({"available":false,"error":"nobody looks at the computer here"})");
  EXPECT_EQ(initial_status(machine({}), nullptr)["gpu"]["monitoring_available"], false);
}

TEST(LiveObjectsTest, HotGpusAndFullComputersAreAlerts) {
  EXPECT_EQ(live_alerts(one_gpu(97, 75), nullptr).size(), 0U);
  EXPECT_EQ(live_alerts(one_gpu(97, 76), nullptr)[0]["type"], "warning");
  EXPECT_EQ(live_alerts(one_gpu(97, 86), nullptr)[0].dump(),
            R"({"category":"gpu_temperature","gpu_id":0,"message":"GPU 0 temperature is critical: 86 °C",)"
            R"("threshold":85.0,"type":"critical","value":86})");
  MachineFacts facts = busy_machine();
  facts.processors.usage = Percent(95);
  facts.memory->available = from_mib(800);
  const Json alerts = live_alerts(one_gpu(1, 40), &facts);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0]["message"], "CPU usage is high: 95.0 %");
  EXPECT_EQ(alerts[1]["message"], "Memory usage is high: 95.0 %");
  EXPECT_EQ(alerts_object(alerts, kThen)["count"], 2);
}

class HighUsageTest : public testing::Test {
 protected:
  Json look(double utilization, std::chrono::seconds at) {
    Snapshot snapshot = one_gpu(utilization, 40);
    snapshot.monotonic = MonotonicTime(at);
    return usage_.look(snapshot);
  }
  HighUsage usage_{Percent(50), 3s};
};

TEST_F(HighUsageTest, AnEpisodeIsToldOnceItIsLongEnough) {
  EXPECT_EQ(look(51, 1s).size(), 0U);
  EXPECT_EQ(look(60, 3s).size(), 0U);
  const Json alerts = look(97.5, 4s);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].dump(), R"({"category":"gpu_usage","gpu_id":0,"message":"GPU 0 usage is high: 97.5 %",)"
                              R"("threshold":50.0,"type":"warning","value":97.5})");
  EXPECT_EQ(look(99, 60s).size(), 0U);
  EXPECT_EQ(usage_.told(), alerts);  // for who comes later
  EXPECT_EQ(look(10, 61s).size(), 0U);
  EXPECT_EQ(usage_.told().size(), 0U);
}

TEST_F(HighUsageTest, AfterAPauseAnotherEpisodeBegins) {
  EXPECT_EQ(look(51, 1s).size(), 0U);
  EXPECT_EQ(look(50, 3s).size(), 0U);
  EXPECT_EQ(look(51, 4s).size(), 0U);
  EXPECT_EQ(look(51, 6s).size(), 0U);
  EXPECT_EQ(look(51, 7s).size(), 1U);
  EXPECT_EQ(look(10, 8s).size(), 0U);
  EXPECT_EQ(look(90, 9s).size(), 0U);
  EXPECT_EQ(look(90, 12s).size(), 1U);
}

TEST_F(HighUsageTest, AGpuThatTellsNothingIsNotBusy) {
  Snapshot snapshot = one_gpu(97, 40);
  snapshot.devices[0].reading.utilization = missing(Missing::not_supported);
  snapshot.monotonic = MonotonicTime(100s);
  EXPECT_EQ(usage_.look(snapshot).size(), 0U);
}

}  // namespace
}  // namespace gpukeeper::service::documented
