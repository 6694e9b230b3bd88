#include "events/snapshot_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SnapshotChangesTest : public testing::Test {
 protected:
  SnapshotChangesTest() { EXPECT_THAT(look(), IsEmpty()); }

  std::vector<Happening> look() { return changes_.look(snapshot_, faults_); }
  Happening only() {
    auto found = look();
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Happening{} : found.front();
  }
  void set_alerts(AlertList alerts) { snapshot_.alerts = std::make_shared<const AlertList>(std::move(alerts)); }
  static Alert alert(AlertPhase phase, std::string by = {}) {
    Alert result;
    result.id = "a1";
    result.rule = "thermal";
    result.device = DeviceId{"GPU-aaaa"};
    result.phase = phase;
    result.message = "it is hot";
    result.acknowledged_by = std::move(by);
    return result;
  }
  void set_faults(std::uint64_t count) {
    auto record = std::make_shared<FaultRecord>();
    record->id = 5;
    record->device = DeviceId{"GPU-bbbb"};
    record->count = count;
    record->last = kThen + std::chrono::seconds(count);
    faults_ = std::make_shared<const FaultList>(FaultList{.records = {record}, .totals = {}});
  }

  SnapshotChanges changes_;
  Snapshot snapshot_ = four_gpus();
  std::shared_ptr<const FaultList> faults_ = std::make_shared<const FaultList>();
};

TEST_F(SnapshotChangesTest, NothingHappensWhereNothingChanges) {
  snapshot_.sequence++;
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotChangesTest, AnotherStateIsTold) {
  snapshot_.devices[0].throttling.state = State::critical;
  const auto state = only();
  EXPECT_EQ(state.type, EventType::state);
  EXPECT_EQ(state.at, snapshot_.taken_at);
  EXPECT_THAT(state.devices, ElementsAre("GPU-aaaa"));
  EXPECT_EQ(state.payload,
            R"({"uuid":"GPU-aaaa","index":0,"parent_index":null,"name":"NVIDIA H100 80GB HBM3","simulated":false,)"
            R"("recorded":false,"state":"critical","before":"unavailable","available":true,"reason":null})");
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotChangesTest, ALostDeviceIsTold) {
  snapshot_.devices[1].available = false;
  snapshot_.devices[1].reason = "it is gone from the bus";
  const Json payload = Json::parse(only().payload);
  EXPECT_EQ(payload["available"], false);
  EXPECT_EQ(payload["reason"], "it is gone from the bus");
}

TEST_F(SnapshotChangesTest, ANewDeviceHasNoStateBefore) {
  snapshot_.devices.push_back(device(4, facts("GPU-eeee", "new", "0000:05:00.0"), busy()));
  const Json payload = Json::parse(only().payload);
  EXPECT_EQ(payload["uuid"], "GPU-eeee");
  EXPECT_TRUE(payload["before"].is_null());
}

TEST_F(SnapshotChangesTest, APartitionIsItsDevicesToo) {
  SnapshotChanges changes;
  Snapshot split = split_gpu();
  EXPECT_THAT(changes.look(split, faults_), IsEmpty());
  split.devices[0].partitions[1].throttling.state = State::throttled;
  const auto found = changes.look(split, faults_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].devices, ElementsAre("MIG-1", "GPU-aaaa"));
}

TEST_F(SnapshotChangesTest, AnotherSpeedIsTold) {
  snapshot_.devices[0].throttling.speed_multiplier = 0.5;
  snapshot_.devices[0].throttling.requests = {{.cause = ThrottleCause::thermal, .multiplier = 0.5, .reason = "84 °C"}};
  const auto throttle = only();
  EXPECT_EQ(throttle.type, EventType::throttle);
  const Json payload = Json::parse(throttle.payload);
  EXPECT_EQ(payload["before"], 1.0);
  EXPECT_EQ(payload["throttling"]["speed_multiplier"], 0.5);
  EXPECT_EQ(payload["throttling"]["requests"][0]["cause"], "thermal");
}

TEST_F(SnapshotChangesTest, AnotherReadingOfTheSameCauseIsNothingNew) {
  snapshot_.devices[0].throttling.requests = {{.cause = ThrottleCause::thermal, .multiplier = 0.8, .reason = "84 °C"}};
  EXPECT_EQ(only().type, EventType::throttle);
  snapshot_.devices[0].throttling.requests[0].reason = "85 °C";
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotChangesTest, AnAlertsWayIsTold) {
  set_alerts({alert(AlertPhase::pending)});
  EXPECT_THAT(look(), IsEmpty());
  set_alerts({alert(AlertPhase::firing)});
  const auto fired = only();
  EXPECT_EQ(fired.type, EventType::alert_fired);
  EXPECT_THAT(fired.devices, ElementsAre("GPU-aaaa"));
  EXPECT_EQ(Json::parse(fired.payload)["message"], "it is hot");
  set_alerts({alert(AlertPhase::firing, "mara")});
  EXPECT_EQ(only().type, EventType::alert_acknowledged);
  set_alerts({alert(AlertPhase::firing)});
  EXPECT_EQ(only().type, EventType::alert_unacknowledged);
  set_alerts({alert(AlertPhase::resolved)});
  EXPECT_EQ(only().type, EventType::alert_resolved);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SnapshotChangesTest, AnAlertThatWentBetweenTwoSnapshotsIsOver) {
  set_alerts({alert(AlertPhase::firing)});
  EXPECT_EQ(only().type, EventType::alert_fired);
  set_alerts({});
  const auto resolved = only();
  EXPECT_EQ(resolved.type, EventType::alert_resolved);
  EXPECT_EQ(Json::parse(resolved.payload)["phase"], "resolved");
}

TEST_F(SnapshotChangesTest, AFaultIsToldEachTimeThatItHappens) {
  set_faults(1);
  const auto fault = only();
  EXPECT_EQ(fault.type, EventType::fault);
  EXPECT_EQ(fault.at, kThen + std::chrono::seconds(1));
  EXPECT_THAT(fault.devices, ElementsAre("GPU-bbbb"));
  EXPECT_EQ(Json::parse(fault.payload)["index"], 1);
  set_faults(1);
  EXPECT_THAT(look(), IsEmpty());
  set_faults(3);
  EXPECT_EQ(Json::parse(only().payload)["count"], 3);
}

TEST_F(SnapshotChangesTest, TheFirstLookIsHowAllIsAndNotWhatHappened) {
  set_alerts({alert(AlertPhase::firing)});
  set_faults(2);
  SnapshotChanges changes;
  EXPECT_THAT(changes.look(snapshot_, faults_), IsEmpty());
  EXPECT_THAT(changes.look(snapshot_, faults_), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::events
