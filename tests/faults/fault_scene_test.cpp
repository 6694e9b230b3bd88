#include "faults/fault_scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class SceneTest : public testing::Test {
 protected:
  SceneTest() {
    snapshot_ = four_gpus();
    snapshot_.monotonic = MonotonicTime(1h);
  }
  void look(std::chrono::seconds later = 0s) {
    snapshot_.monotonic += later;
    snapshot_.taken_at += later;
    finder_.look(snapshot_);
  }
  DeviceEvent event(std::string id) const {
    DeviceEvent made;
    if (!id.empty()) made.id = DeviceId{std::move(id)};
    made.at = snapshot_.taken_at;
    return made;
  }
  std::vector<std::string> processes(const DeviceEvent& of) const {
    const auto scene = finder_.of(of);
    if (!scene.processes) return {"not known"};
    std::vector<std::string> result;
    for (const FaultProcess& p : *scene.processes) {
      result.push_back(std::to_string(p.pid) + " " + p.name + (p.user ? " of " + *p.user : "") +
                       (p.container ? " in " + *p.container : "") + (p.blamed ? " blamed" : ""));
    }
    return result;
  }

  Snapshot snapshot_;
  SceneFinder finder_;
};

TEST_F(SceneTest, ADeviceIsFoundByItsPlaceAndByAnotherFunctionOfItsCard) {
  look();
  DeviceEvent by_place = event("");
  by_place.pci = PciAddress::parse("0000:02:00.0");
  EXPECT_EQ(finder_.of(by_place).device, DeviceId{"GPU-bbbb"});
  EXPECT_EQ(finder_.of(by_place).device_name, "NVIDIA H100 80GB HBM3");
  by_place.pci = PciAddress::parse("0000:02:00.1");
  EXPECT_EQ(finder_.of(by_place).device, DeviceId{"GPU-bbbb"});
  by_place.pci = PciAddress::parse("0000:77:00.0");
  EXPECT_EQ(finder_.of(by_place).device, DeviceId{"PCI-0000:77:00.0"});
  EXPECT_EQ(finder_.of(event("")).device, DeviceId{});
  EXPECT_EQ(finder_.of(event("GPU-gone")).device, DeviceId{"GPU-gone"});
}

TEST_F(SceneTest, APartitionsFaultIsItsDevices) {
  snapshot_ = split_gpu();
  look();
  EXPECT_EQ(finder_.of(event("MIG-1")).device, DeviceId{"GPU-aaaa"});
}

TEST_F(SceneTest, ProcessesComeWithWhoTheyAre) {
  auto who = std::make_shared<ProcessTable>();
  ProcessFacts facts;
  facts.user = std::string("alice");
  facts.place = ProcessPlace{.container = Container{"docker", "c0ffee"}};
  who->add({"GPU-aaaa"}, 4242, std::make_shared<const ProcessFacts>(facts));
  snapshot_.who = who;
  look();
  EXPECT_THAT(processes(event("GPU-aaaa")), ElementsAre("4242 python3 of alice in c0ffee", "5000 vllm"));
}

TEST_F(SceneTest, AProcessThatTheFaultEndedWasThereAMomentAgo) {
  look();
  set_processes(snapshot_.devices[0], {process(5000, "vllm", 1)});
  look(1s);
  EXPECT_THAT(processes(event("GPU-aaaa")), ElementsAre("4242 python3", "5000 vllm"));
  look(11s);
  EXPECT_THAT(processes(event("GPU-aaaa")), ElementsAre("5000 vllm"));
}

TEST_F(SceneTest, ALostDevicesProcessesAreThoseOfAMomentAgoAndThenNotKnown) {
  look();
  set_processes(snapshot_.devices[0], {});
  snapshot_.devices[0].processes_reason = "it does not answer";
  look(1s);
  EXPECT_THAT(processes(event("GPU-aaaa")), ElementsAre("4242 python3", "5000 vllm"));
  look(11s);
  EXPECT_THAT(processes(event("GPU-aaaa")), ElementsAre("not known"));
}

TEST_F(SceneTest, WhoWasThereBeforeAnybodyLookedIsNotKnownExceptWhomTheDriverBlames) {
  look();
  DeviceEvent old = event("GPU-aaaa");
  old.at -= 1h;
  EXPECT_THAT(processes(old), ElementsAre("not known"));
  old.pid = 17;
  old.process = "miner";
  EXPECT_THAT(processes(old), ElementsAre("17 miner blamed"));
}

TEST_F(SceneTest, TheBlamedProcessIsMarkedAmongThoseThatWereThere) {
  look();
  DeviceEvent blames = event("GPU-aaaa");
  blames.pid = 5000;
  EXPECT_THAT(processes(blames), ElementsAre("4242 python3", "5000 vllm blamed"));
  blames.pid.reset();
  blames.process = "python3";
  EXPECT_THAT(processes(blames), ElementsAre("4242 python3 blamed", "5000 vllm"));
}

TEST_F(SceneTest, WhatASimulatedSourceSaysOfTheWholeMachineIsSimulated) {
  snapshot_.devices.push_back(simulated_gpu().devices[0]);
  look();
  EXPECT_TRUE(finder_.of(event("GPU-sim")).simulated);
  DeviceEvent of_all = event("");
  of_all.source = "simulated";
  EXPECT_TRUE(finder_.of(of_all).simulated);
  of_all.source = "kernel log";
  EXPECT_FALSE(finder_.of(of_all).simulated);
}

}  // namespace
}  // namespace gpukeeper
