#include "format/snapshot_reader.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <nlohmann/json.hpp>

#include "device/metric_fields.hpp"
#include "fakes/snapshots.hpp"
#include "format/columns_text.hpp"
#include "format/process_list_text.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

Snapshot read_back(const Snapshot& snapshot) {
  const auto result = parse_snapshot(snapshot_json(snapshot, false));
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(Snapshot{});
}

// Equal in everything that any form of output shows.
void expect_same(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(snapshot_json(a, true), snapshot_json(b, true));
  EXPECT_EQ(csv_rows(a), csv_rows(b));
  EXPECT_EQ(processes_csv(process_rows(a)), processes_csv(process_rows(b)));
}

Snapshot governed() {
  Snapshot snapshot = four_gpus();
  snapshot.lamp = Lamp::yellow;
  snapshot.replayed = true;
  snapshot.who_reason = "processes of other users are not seen: run as root";
  snapshot.event_sources = {{"kernel log", false, "/dev/kmsg: Permission denied"}};
  snapshot.self.cpu = std::chrono::milliseconds(1234);
  snapshot.self.resident = from_mib(20);
  snapshot.self.driver = {77, std::chrono::microseconds(991)};
  snapshot.devices[0].reading.sensors = {{"fan2", "rpm", 1200}, {"rail", "volts", 0.9}};
  snapshot.devices[1].throttling = {
      .state = State::throttled,
      .state_since = snapshot.taken_at - std::chrono::seconds(4),
      .speed_multiplier = 0.5,
      .requests = {{.cause = ThrottleCause::operator_request,
                    .multiplier = 0.5,
                    .reason = "asked for by root",
                    .since = snapshot.taken_at,
                    .until = snapshot.monotonic + std::chrono::seconds(90)}},
      .thresholds = {{.temp_optimal = Celsius(60), .memory_critical = Percent(97.5)}, Celsius(88)}};
  Alert alert{.id = "7", .rule = "thermal", .device = DeviceId{"GPU-bbbb"}, .device_index = 1, .subject = {}};
  alert.phase = AlertPhase::firing;
  alert.message = "83 °C";
  alert.since = snapshot.taken_at;
  alert.value = 83;
  alert.acknowledged_by = "mara";
  snapshot.alerts = std::make_shared<const AlertList>(AlertList{alert});
  return snapshot;
}

Snapshot booked() {
  Snapshot snapshot = four_gpus();
  Booked book;
  book.devices = {{.id = DeviceId{"GPU-aaaa"},
                   .capacity = from_mib(80'000),
                   .available = from_mib(30'000),
                   .unmanaged = Bytes(0),
                   .booked = from_mib(50'000),
                   .charged = from_mib(50'500),
                   .draining = from_mib(3),
                   .leaked = from_mib(2),
                   .leases = 2,
                   .ours = {},
                   .foreign = {}},
                  {.id = DeviceId{"GPU-dddd"}, .available = missing(Missing::failed), .ours = {}, .foreign = {}}};
  book.closed = "gpukeeper has just begun";
  snapshot.booked = std::make_shared<const Booked>(std::move(book));
  return snapshot;
}

Snapshot peopled() {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts unseen;
  unseen.user = missing(Missing::not_permitted);
  unseen.place = missing(Missing::not_permitted);
  unseen.root = missing(Missing::failed);
  ProcessFacts contained = mara_trains(2);
  contained.place = ProcessPlace{.container = Container{"docker", "4f1c"},
                                 .pod_uid = "5c6a",
                                 .slurm_job = "4711",
                                 .pod = PodNames{"ml", "trainer-0", ""}};
  contained.root = std::optional<InteractiveRoot>();
  contained.pid_in_namespace = 1;
  auto mps = process(5, "mps", 3);
  mps.type = {true, true, true};
  mps.utilization = Percent(12.5);
  mps.memory = missing(Missing::not_permitted);
  set_processes(d, {told(process(1, "python3", 1), mara_trains(1)), told(process(2, "vllm", 9), contained),
                    told(process(3, "x", 1), unseen), process(4, "", 0), mps});
  return machine({d});
}

TEST(SnapshotReaderTest, WhatWasWrittenIsReadBack) {
  for (const Snapshot& snapshot :
       {four_gpus(), split_gpu(), simulated_gpu(), governed(), booked(), peopled(), machine({})}) {
    expect_same(snapshot, read_back(snapshot));
  }
}

TEST(SnapshotReaderTest, WhatMustBeTheSameForAnswersIs) {
  const Snapshot snapshot = read_back(governed());
  EXPECT_EQ(snapshot.devices[1].throttling.thresholds.temp_optimal, Celsius(60));
  EXPECT_EQ(snapshot.devices[1].throttling.thresholds.temp_normal, Celsius(75));
  EXPECT_EQ(snapshot.devices[1].throttling.thresholds.temp_critical, Celsius(88));
  EXPECT_EQ(*snapshot.alerts, *governed().alerts);
  const Snapshot split = read_back(split_gpu());
  EXPECT_EQ(split.devices[0].partitions[1].parent_index, 0u);
  EXPECT_EQ(split.devices[0].partitions[1].device->parent, (DeviceId{"GPU-aaaa"}));
  EXPECT_EQ(*read_back(booked()).booked, *booked().booked);
  EXPECT_EQ(read_back(four_gpus()).booked, nullptr);
}

TEST(SnapshotReaderTest, ACommandLineThatWasLeftOutIsNotPermitted) {
  const auto snapshot = parse_snapshot(snapshot_json(peopled(), false, CommandLines::left_out));
  ASSERT_TRUE(snapshot);
  const ProcessFacts& facts = *snapshot->devices[0].processes->front().facts;
  EXPECT_EQ(facts.command_line, missing(Missing::not_permitted));
  EXPECT_EQ(facts.user, "mara");
}

TEST(SnapshotReaderTest, AnOlderDaemonLacksMembersAndANewerOneHasMore) {
  Json json = Json::parse(snapshot_json(four_gpus(), false));
  json["colour"] = "blue";
  json["devices"][0]["metrics"]["temperature_of_tomorrow"] = 3;
  for (const char* name : {"replayed", "who_reason", "book", "self", "alerts"}) json.erase(name);
  for (const char* name : {"booking", "throttling", "sensors", "partitions"}) json["devices"][0].erase(name);
  json["devices"][0]["metrics"].erase("power_watts");
  const auto snapshot = parse_snapshot(json.dump());
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->devices.size(), 4u);
  EXPECT_EQ(snapshot->devices[0].reading.power, missing(Missing::not_supported));
  EXPECT_EQ(snapshot->devices[0].reading.temperature, Celsius(64));
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 1);
}

TEST(SnapshotReaderTest, WhatIsNoSnapshotSaysWhy) {
  Json many = Json::parse(snapshot_json(four_gpus(), false));
  for (int i = 0; i < 1100; ++i) many["devices"].push_back(Json::object());
  const std::pair<std::string, std::string> cases[] = {
      {"", "is no JSON object, or has one that is too large"},
      {"[1]", "is no JSON object, or has one that is too large"},
      {"{", "is no JSON object, or has one that is too large"},
      {"{}", "is no snapshot of gpukeeper"},
      {R"({"schema": 7})", "is no snapshot of gpukeeper"},
      {R"({"schema": "gpukeeper.status/2"})",
       "is of schema gpukeeper.status/2, and this gpukeeper reads gpukeeper.status/1: one of the two is older, use the "
       "same release"},
      {R"({"schema": "\u001b[2J"})",
       "is of schema ?[2J, and this gpukeeper reads gpukeeper.status/1: one of the two is older, use the same release"},
      {R"({"schema": "gpukeeper.status/1"})", "does not say when it was taken"},
      {R"({"schema": "gpukeeper.status/1", "taken_at": "yesterday"})", "does not say when it was taken"},
      {many.dump(), "lists 1104 devices, more than the 1024 that can be"},
  };
  for (const auto& [text, message] : cases) {
    const auto snapshot = parse_snapshot(text);
    ASSERT_FALSE(snapshot) << text;
    EXPECT_EQ(snapshot.error().code, Errc::invalid_argument);
    EXPECT_EQ(snapshot.error().message, message);
  }
}

TEST(SnapshotReaderTest, HostileMembersAreAbsentAndNumbersKeepTheirBounds) {
  const auto snapshot = parse_snapshot(R"({
    "schema": "gpukeeper.status/1", "taken_at": "2026-05-28T20:26:40.250Z", "host": 5, "sequence": -1, "alerts": [3, {}],
    "self": {"cpu_seconds": 1e300, "driver_seconds": -5}, "sources": "none", "event_sources": [null],
    "devices": [7, {
      "index": 4294967296, "uuid": "GPU-a", "vendor": "acme", "attention": "dizzy", "state": "fine", "lamp": 3,
      "read_at": "9999-12-31T23:59:59Z", "pci_address": "somewhere",
      "metrics": {"utilization_percent": 4000, "power_watts": "many", "memory_used_bytes": -1, "ecc_enabled": 2,
                  "temperature_celsius": -1e9, "throttle_reasons": "boredom", "fault_last_timestamp_seconds": 1e300},
      "throttling": {"speed_multiplier": 12, "requests": [{"cause": "x", "until": "2199-12-31T23:59:59Z"}]},
      "sensors": [{"value": null}], "partitions": [{"partitions": [{}]}], "booking": {"leases": -1},
      "processes": [{"pid": "1", "cpu_percent": 1e12, "user": null, "class": {"kind": "magic", "confidence": 9}}]}]})");
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->host, "");
  EXPECT_EQ(snapshot->sequence, 0u);
  EXPECT_EQ(snapshot->self.cpu, std::chrono::seconds(1'000'000'000));
  EXPECT_EQ(snapshot->self.driver.time.count(), 0);
  ASSERT_EQ(snapshot->devices.size(), 2u);
  const DeviceSnapshot& d = snapshot->devices[1];
  EXPECT_EQ(d.index, 0u);
  EXPECT_EQ(d.read_at, std::nullopt);
  EXPECT_EQ(d.device->vendor, Vendor::other);
  EXPECT_EQ(d.reading.utilization, Percent(100));
  EXPECT_EQ(d.reading.power, missing(Missing::failed));
  EXPECT_EQ(d.reading.memory_used, missing(Missing::failed));
  EXPECT_EQ(d.reading.ecc_enabled, missing(Missing::failed));
  EXPECT_EQ(d.reading.temperature, Celsius(-273.15));
  EXPECT_EQ(d.reading.throttle_reasons, ThrottleReasons(Throttle::other)) << "of a newer release";
  EXPECT_EQ(d.throttling.speed_multiplier, 1);
  EXPECT_EQ(d.throttling.requests.at(0).cause, ThrottleCause::operator_request);
  EXPECT_TRUE(d.partitions.at(0).partitions.empty()) << "partitions have none";
  EXPECT_EQ(d.processes->at(0).pid, 0);
  EXPECT_EQ(d.processes->at(0).facts->cpu, Percent(1e6));
  EXPECT_EQ(d.processes->at(0).facts->classification.kind, ProcessClass::unknown);
  EXPECT_EQ(snapshot->booked, nullptr) << "nobody keeps a book";
}

TEST(SnapshotReaderTest, AnObjectOfVeryManyMembersIsRefusedInTime) {
  std::string text = R"({"schema": "gpukeeper.status/1", "taken_at": "2026-05-28T20:26:40.250Z")";
  for (int i = 0; i < 200'000; ++i) text += ",\"m" + std::to_string(i) + "\":{}";
  EXPECT_EQ(parse_snapshot(text + "}").error().message, "is no JSON object, or has one that is too large");
}

MetricValue any_value(const MetricField& field) {
  switch (field.kind) {
    case FieldKind::number:
      return static_cast<double>(*rc::gen::inRange<std::int64_t>(0, 1'000'000)) / 1000;  // with its three decimals
    case FieldKind::whole: return *rc::gen::arbitrary<std::uint64_t>();
    case FieldKind::flag: return *rc::gen::arbitrary<bool>();
    case FieldKind::text: return *rc::gen::arbitrary<std::string>();
    case FieldKind::throttle_reasons: return *rc::gen::elementOf(std::vector<std::string>{"none", "idle, power limit"});
  }
  return false;
}

TEST(SnapshotReaderTest, AnyReadingSurvivesBeingWrittenAndRead) {
  EXPECT_TRUE(rc::check([] {
    constexpr Missing kReasons[] = {Missing::not_supported, Missing::not_permitted, Missing::not_yet_read,
                                    Missing::asleep, Missing::failed};
    Reading reading{Missing::not_supported};
    for (const MetricField& field : metric_fields()) {
      if (*rc::gen::arbitrary<bool>()) {
        field.set(reading, any_value(field));
      } else {
        field.set(reading, missing(kReasons[*rc::gen::inRange(0, 5)]));
      }
    }
    Snapshot snapshot = machine({device(*rc::gen::arbitrary<std::uint32_t>(),
                                        facts(*rc::gen::arbitrary<std::string>(), "A", "0000:01:00.0"), reading)});
    snapshot.host = *rc::gen::arbitrary<std::string>();
    snapshot.sequence = *rc::gen::arbitrary<std::uint64_t>();
    const std::string written = snapshot_json(snapshot, false);
    const auto read = parse_snapshot(written);
    RC_ASSERT(read.has_value());
    RC_ASSERT(snapshot_json(*read, false) == written);
  }));
}

}  // namespace
}  // namespace gpukeeper
