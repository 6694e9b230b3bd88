#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actuators/actuation.hpp"
#include "actuators/real_actuators.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "memory_kernel_files.hpp"

namespace gpukeeper {
namespace {

/// Real actuators on made-up files, acted with.
class RealActuationTest : public testing::Test {
 protected:
  RealActuationTest() {
    settings_.power_limit = settings_.freeze = true;
    settings_.freeze_cgroups = {"/jobs/*"};
    begin();
  }

  void begin() {
    actuation_.reset();
    actuation_ = std::make_unique<Actuation>(
        std::make_shared<RealActuators>(files_, kernel_, signals_, "no such library"),
        ChangeJournal::open((folder_.path() / "changes").string()).value(), clock_, "boot-1", log_);
    actuation_->recover();
  }
  static DeviceSnapshot card(const std::string& id, const std::string& address) {
    return device(0, facts(id, "card", address, Vendor::amd), busy());
  }
  static DeviceSnapshot hot(DeviceSnapshot d, double multiplier) {
    d.throttling.requests.push_back({ThrottleCause::thermal, multiplier, "84 °C, above 75 °C", {}, {}});
    return d;
  }
  void act(std::vector<DeviceSnapshot> devices) {
    Snapshot snapshot;
    snapshot.monotonic = clock_->now();
    snapshot.devices = std::move(devices);
    actuation_->act(snapshot, settings_, std::chrono::seconds(10));
    clock_->advance(std::chrono::seconds(1));
  }
  std::string text(const std::string& path) { return files_->read(path).value(); }

  const std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  std::vector<std::string> written_;
  const std::shared_ptr<MemoryKernelFiles> kernel_ = std::make_shared<MemoryKernelFiles>(*files_, written_);
  const std::shared_ptr<FakeSignals> signals_ = std::make_shared<FakeSignals>();
  const TemporaryFolder folder_;
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  Log log_{*clock_, std::make_shared<FakeLogTarget>()};
  ActuatorSettings settings_;
  std::unique_ptr<Actuation> actuation_;
};

TEST_F(RealActuationTest, AGroupOnTwoDevicesStandsStillOnce) {
  const std::string group = "/sys/fs/cgroup/jobs/train";
  files_->write("/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 none rw\n");
  files_->write(group + "/cgroup.procs", "4242\n4243\n");
  files_->write(group + "/cgroup.freeze", "0\n");
  for (const std::string pid : {"4242", "4243"}) {
    files_->write("/proc/" + pid + "/comm", "python3\n");
    files_->write("/proc/" + pid + "/cgroup", "0::/jobs/train\n");
  }
  auto first = card("GPU-x", "0000:03:00.0");
  auto second = card("GPU-y", "0000:04:00.0");
  set_processes(first, {process(4242, "python3", 1000)});
  set_processes(second, {process(4242, "python3", 1000), process(4243, "python3", 1000)});
  int frozen = 0;
  for (int second_of_heat = 0; second_of_heat < 1000; ++second_of_heat) {
    act({hot(first, 0), hot(second, 0)});
    if (text(group + "/cgroup.freeze") == "1\n") ++frozen;
  }
  EXPECT_EQ(frozen, 120);
  act({first, second});
  act({first, hot(second, 0)});  // a new cause
  EXPECT_EQ(text(group + "/cgroup.freeze"), "1\n");
}

TEST_F(RealActuationTest, AProcessOnTwoDevicesIsStoppedOnce) {
  files_->write("/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
  files_->link("/proc/self", std::to_string(::getpid()));
  files_->write("/proc/4242/cgroup", "1:name=systemd:/jobs/train\n");
  files_->write("/proc/4242/stat",
                "4242 (python3) R 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 777 0 100 1 1 1 1 0 0 0 0 0 0 0 0 0 17 0 "
                "0 0 0 0 0\n");
  auto first = card("GPU-x", "0000:03:00.0");
  auto second = card("GPU-y", "0000:04:00.0");
  set_processes(first, {process(4242, "python3", 1000)});
  set_processes(second, {process(4242, "python3", 1000)});
  for (int second_of_heat = 0; second_of_heat < 1000; ++second_of_heat) act({hot(first, 0), hot(second, 0)});
  EXPECT_THAT(signals_->sent, testing::ElementsAre("4242 of 777 stops", "4242 of 777 goes on"));
}

// What is found again after a crash has no settings of its own.
TEST_F(RealActuationTest, WhatALastProcessLeftIsDoneAnewAsTheSettingsSay) {
  const std::string cap = "/sys/bus/pci/devices/0000:03:00.0/hwmon/hwmon3/power1_cap";
  files_->write(cap, "220000000\n");
  settings_.power_limit_lowest = Percent(80);
  act({hot(card("GPU-x", "0000:03:00.0"), 0.5)});
  EXPECT_EQ(text(cap), "176000000\n");
  kernel_->refuses = true;
  begin();
  for (int i = 0; i < 5; ++i) act({hot(card("GPU-x", "0000:03:00.0"), 0.5)});
  kernel_->refuses = false;
  for (int i = 0; i < 15; ++i) act({hot(card("GPU-x", "0000:03:00.0"), 0.5)});
  EXPECT_EQ(text(cap), "176000000\n");
  settings_.power_limit_lowest = Percent(90);
  act({hot(card("GPU-x", "0000:03:00.0"), 0.5)});
  EXPECT_EQ(text(cap), "198000000\n");
}

}  // namespace
}  // namespace gpukeeper
