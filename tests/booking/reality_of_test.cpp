#include "booking/reality_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Snapshot with(DeviceSnapshot d) {
  Snapshot snapshot;
  snapshot.devices.push_back(std::move(d));
  return snapshot;
}

DeviceSnapshot h200() {
  return device(2, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy());
}

GpuProcess process(std::int64_t pid, Bytes memory) {
  GpuProcess p;
  p.pid = pid;
  p.name = "python3";
  p.type.compute = true;
  p.memory = memory;
  return p;
}

TEST(RealityOfTest, ADeviceIsWhatItsReadingSays) {
  const Reality reality = reality_of(with(h200()));
  ASSERT_THAT(reality.devices, SizeIs(1));
  const DeviceReality& d = reality.devices[0];
  EXPECT_EQ(d.id, "GPU-a");
  EXPECT_EQ(d.index, 2u);
  EXPECT_TRUE(d.available);
  EXPECT_EQ(d.closed_because, "");
  EXPECT_EQ(d.total, from_mib(81'559));
  EXPECT_EQ(d.used, from_mib(62'000));
  EXPECT_EQ(d.reserved, missing(Missing::not_supported));
  EXPECT_EQ(d.temperature, Celsius(64));
  EXPECT_TRUE(d.processes);
}

TEST(RealityOfTest, AProcessBringsItsStartItsServiceAndWhereItComesFrom) {
  DeviceSnapshot d = h200();
  GpuProcess draws = process(900, 200_MiB);
  draws.type = {.graphics = true};
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{process(4711, 1000_MiB), draws});
  Snapshot snapshot = with(d);
  auto who = std::make_shared<ProcessTable>();
  auto known = std::make_shared<ProcessFacts>();
  known->start_ticks = 987u;
  known->place = ProcessPlace{.unit = "embedding-service.service"};
  known->uid = 1000u;
  known->forebears = {10, 1};
  known->lease = 3;
  who->add({"GPU-a"}, 4711, known);
  snapshot.who = who;
  const Reality reality = reality_of(snapshot);
  const auto& processes = *reality.devices[0].processes;
  ASSERT_THAT(processes, SizeIs(2));
  EXPECT_EQ(processes[0].start_ticks, 987u);
  EXPECT_EQ(processes[0].service, "embedding-service");
  EXPECT_THAT(processes[0].forebears, ElementsAre(10, 1));
  EXPECT_EQ(processes[0].lease, LeaseId{3});
  EXPECT_EQ(processes[0].uid, 1000u);
  EXPECT_FALSE(processes[0].elsewhere);
  EXPECT_EQ(processes[0].memory, 1000_MiB);
  EXPECT_TRUE(processes[0].compute);
  EXPECT_FALSE(processes[1].compute);
}

TEST(RealityOfTest, PidsOfAMadeUpMachineAreNotThoseOfThisOne) {
  DeviceSnapshot d = h200();
  Device made_up = *d.device;
  made_up.simulated = true;
  d.device = std::make_shared<const Device>(made_up);
  ProcessFacts facts;
  facts.start_ticks = 987u;
  facts.uid = 1000u;
  facts.place = ProcessPlace{.unit = "embedding-service.service"};
  facts.forebears = {10};
  facts.lease = 3;
  GpuProcess told = process(4711, 1000_MiB);
  told.facts = std::make_shared<const ProcessFacts>(facts);
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{told});
  const ObservedProcess seen = reality_of(with(d)).devices[0].processes->front();
  EXPECT_TRUE(seen.elsewhere);
  EXPECT_EQ(seen.service, "embedding-service");
  EXPECT_THAT(seen.forebears, SizeIs(0));
  EXPECT_EQ(seen.lease, LeaseId{});
  EXPECT_FALSE(seen.uid);
}

TEST(RealityOfTest, AProcessThatMayNotBeLookedAtIsNotKnownByItsPid) {
  DeviceSnapshot d = h200();
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{process(4711, 1000_MiB)});
  Snapshot snapshot = with(d);
  EXPECT_FALSE(reality_of(snapshot).devices[0].processes->front().elsewhere);  // not looked at yet
  auto stranger = std::make_shared<ProcessFacts>();
  stranger->start_ticks = missing(Missing::not_permitted);
  auto who = std::make_shared<ProcessTable>();
  who->add({"GPU-a"}, 4711, stranger);
  snapshot.who = who;
  EXPECT_TRUE(reality_of(snapshot).devices[0].processes->front().elsewhere);
}

TEST(RealityOfTest, ProcessesThatCannotBeListedAreNotNone) {
  DeviceSnapshot d = h200();
  d.processes_reason = "the driver does not list them";
  EXPECT_FALSE(reality_of(with(d)).devices[0].processes);
}

TEST(RealityOfTest, AHotDeviceTakesNothingNewAFullOneIsJudgedByTheLedger) {
  DeviceSnapshot d = h200();
  d.throttling.requests = {{.cause = ThrottleCause::memory, .multiplier = 0.5, .reason = "95 % full"}};
  EXPECT_EQ(reality_of(with(d)).devices[0].closed_because, "");
  d.throttling.requests.push_back({.cause = ThrottleCause::thermal, .multiplier = 0.5, .reason = "84 °C, above 75 °C"});
  EXPECT_EQ(reality_of(with(d)).devices[0].closed_because, "is too hot for anything new (84 °C, above 75 °C)");
}

TEST(RealityOfTest, OfADividedDeviceItsPartitionsGive) {
  DeviceSnapshot d = h200();
  Device part;
  part.id.text = "MIG-1";
  d.partitions.push_back(device(0, part, busy()));
  GpuProcess inside = process(4711, 1000_MiB);
  inside.partition = DeviceId{"MIG-1"};
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{inside});
  const Reality reality = reality_of(with(d));
  ASSERT_THAT(reality.devices, SizeIs(2));
  EXPECT_EQ(reality.devices[0].closed_because, "is divided into partitions: ask for one of them");
  EXPECT_EQ(reality.devices[1].id, "MIG-1");
  EXPECT_EQ(reality.devices[1].closed_because, "");
  EXPECT_THAT(*reality.devices[1].processes, SizeIs(1));
}

}  // namespace
}  // namespace gpukeeper
