#include "actuators/real_actuators.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actuators/cgroup_freezer.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/nvml/fake_nvml.hpp"
#include "fakes/snapshots.hpp"
#include "memory_kernel_files.hpp"

namespace gpukeeper {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const std::string kCard = "/sys/bus/pci/devices/0000:03:00.0";

class RealActuatorsTest : public testing::Test {
 protected:
  RealActuatorsTest() {
    settings_.power_limit = settings_.locked_clocks = settings_.fan = settings_.freeze = true;
    settings_.freeze_cgroups = {"/jobs/*"};
  }

  static DeviceSnapshot card(Vendor vendor) {
    return device(0, facts("GPU-x", "card", "0000:03:00.0", vendor), busy());
  }
  std::vector<std::unique_ptr<Actuator>> all(const DeviceSnapshot& d) { return actuators_.actuators(d, settings_); }
  std::unique_ptr<Actuator> only(const DeviceSnapshot& d, ActuatorKind kind) {
    for (auto& actuator : all(d)) {
      if (actuator->name().kind == kind) return std::move(actuator);
    }
    return nullptr;
  }
  std::string text(const std::string& path) { return files_->read(path).value(); }

  const std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  const std::shared_ptr<std::vector<std::string>> writes_ = std::make_shared<std::vector<std::string>>();
  const std::shared_ptr<FakeSignals> signals_ = std::make_shared<FakeSignals>();
  RealActuators actuators_{files_, std::make_shared<MemoryKernelFiles>(*files_, *writes_), signals_,
                           FakeNvml::library_path().string()};
  ActuatorSettings settings_;
};

TEST_F(RealActuatorsTest, AnAmdCardHasAPowerCapAndAFan) {
  files_->write(kCard + "/hwmon/hwmon3/power1_cap", "220000000\n");
  files_->write(kCard + "/hwmon/hwmon3/power1_cap_min", "150000000\n");
  files_->write(kCard + "/hwmon/hwmon3/pwm1_enable", "2\n");
  files_->write(kCard + "/hwmon/hwmon3/pwm1", "80\n");
  const auto amd = card(Vendor::amd);
  ASSERT_THAT(all(amd), SizeIs(2));

  const auto power = only(amd, ActuatorKind::power_limit);
  EXPECT_EQ(power->name().place, kCard + "/hwmon/hwmon3/power1_cap");
  EXPECT_EQ(power->look(), "220000000");
  EXPECT_EQ(power->wish(0.8, "220000000"), "176000000");
  EXPECT_EQ(power->wish(0.5, "220000000"), "150000000");  // not below what the card takes
  EXPECT_EQ(power->wish(0.5, "150000000"), std::nullopt);
  EXPECT_TRUE(power->is_ours("175000000", "176000000"));
  EXPECT_FALSE(power->is_ours("220000000", "176000000"));
  ASSERT_TRUE(power->set("176000000"));
  EXPECT_EQ(text(kCard + "/hwmon/hwmon3/power1_cap"), "176000000\n");

  const auto fan = only(amd, ActuatorKind::fan);
  EXPECT_EQ(fan->look(), "auto");
  EXPECT_EQ(fan->wish(0.8, "auto"), "179");
  EXPECT_EQ(fan->wish(0, "auto"), "255");
  EXPECT_EQ(fan->wish(0, "200"), std::nullopt);  // by hand already
  ASSERT_TRUE(fan->set("179"));
  EXPECT_EQ(fan->look(), "179");
  ASSERT_TRUE(fan->give_back("auto"));
  EXPECT_EQ(fan->look(), "auto");
}

TEST_F(RealActuatorsTest, AFanThatRunsFasterByItselfIsLeftAlone) {
  files_->write(kCard + "/hwmon/hwmon3/pwm1_enable", "2\n");
  files_->write(kCard + "/hwmon/hwmon3/pwm1", "200\n");
  EXPECT_EQ(only(card(Vendor::amd), ActuatorKind::fan)->wish(0.8, "auto"), std::nullopt);
}

TEST_F(RealActuatorsTest, AnAmdCardsClocksAreBoundByItsRange) {
  const std::string level = kCard + "/power_dpm_force_performance_level";
  files_->write(level, "auto\n");
  files_->write(kCard + "/pp_od_clk_voltage",
                "OD_SCLK:\n0: 500Mhz\n1: 2100Mhz\nOD_MCLK:\n0: 97Mhz\n1: 1000Mhz\nOD_RANGE:\nSCLK: 500Mhz 2500Mhz\n");
  const auto clocks = only(card(Vendor::amd), ActuatorKind::locked_clocks);
  ASSERT_TRUE(clocks);
  EXPECT_EQ(clocks->look(), "auto 2100");
  EXPECT_EQ(clocks->wish(0.8, "auto 2100"), "manual 1680");
  EXPECT_EQ(clocks->wish(0.5, "auto 2100"), "manual 1050");
  EXPECT_EQ(clocks->wish(0.5, "manual 2100"), std::nullopt);  // somebody has chosen it
  EXPECT_EQ(clocks->wish(0.5, "high 2100"), std::nullopt);
  EXPECT_EQ(clocks->spell("manual 1050"), "up to 1050 MHz");
  EXPECT_EQ(clocks->spell("auto 2100"), "the driver's own choice");
  EXPECT_TRUE(clocks->is_ours("manual 1045", "manual 1050"));
  EXPECT_FALSE(clocks->is_ours("manual 1500", "manual 1050"));
  EXPECT_FALSE(clocks->is_ours("auto 1050", "manual 1050"));
  ASSERT_TRUE(clocks->set("manual 1050"));
  EXPECT_EQ(text(level), "manual\n");
  EXPECT_THAT(*writes_, testing::ElementsAre("manual", "s 1 1050", "c"));
  writes_->clear();
  ASSERT_TRUE(clocks->give_back("auto 2100"));
  EXPECT_THAT(*writes_, testing::ElementsAre("manual", "s 1 2100", "c", "auto"));
}

TEST_F(RealActuatorsTest, AnAmdCardThatHasLevelsUsesTheSlowerOnes) {
  const std::string level = kCard + "/power_dpm_force_performance_level";
  files_->write(level, "auto\n");
  files_->write(kCard + "/pp_od_clk_voltage", "OD_SCLK:\n0: 852Mhz 800mV\n1: 991Mhz 900mV\n");  // with voltages
  files_->write(kCard + "/pp_dpm_sclk", "0: 300Mhz \n1: 852Mhz *\n2: 1200Mhz \n3: 1600Mhz \n");
  const auto clocks = only(card(Vendor::amd), ActuatorKind::locked_clocks);
  ASSERT_TRUE(clocks);
  EXPECT_EQ(clocks->look(), "auto 1600");
  EXPECT_EQ(clocks->wish(0.8, "auto 1600"), "manual 1200 0 1 2");
  EXPECT_EQ(clocks->wish(0.5, "auto 1600"), "manual 852 0 1");  // 800 MHz would be too slow: not below half
  EXPECT_EQ(clocks->wish(0.5, "profile_peak 1600"), std::nullopt);
  ASSERT_TRUE(clocks->set("manual 1200 0 1 2"));
  EXPECT_THAT(*writes_, testing::ElementsAre("manual", "0 1 2"));
  EXPECT_TRUE(clocks->is_ours("manual 1600", "manual 1200 0 1 2"));
  ASSERT_TRUE(clocks->give_back("auto 1600"));
  EXPECT_EQ(text(level), "auto\n");
  files_->write(kCard + "/pp_dpm_sclk", "0: 300Mhz \n1: 852Mhz *\n2: 1200Mhz \n3: 1600Mhz \n");
  EXPECT_EQ(clocks->effective(), "runs at 852 MHz");
  files_->write(kCard + "/pp_dpm_sclk", "0: 500Mhz *\n1: 2660Mhz \n");  // nothing to choose from
  EXPECT_FALSE(only(card(Vendor::amd), ActuatorKind::locked_clocks));
}

TEST_F(RealActuatorsTest, AFanThatSomebodySetToAnotherModeIsLeftAlone) {
  files_->write(kCard + "/hwmon/hwmon3/pwm1_enable", "0\n");  // at full speed, without anyone who controls it
  files_->write(kCard + "/hwmon/hwmon3/pwm1", "100\n");
  const auto fan = only(card(Vendor::amd), ActuatorKind::fan);
  EXPECT_EQ(fan->look(), "mode 0");
  EXPECT_EQ(fan->spell("mode 0"), "mode 0");
  EXPECT_EQ(fan->wish(0, "mode 0"), std::nullopt);
  EXPECT_FALSE(fan->is_ours("mode 0", "179"));
  EXPECT_FALSE(fan->is_ours("auto", "179"));
  EXPECT_TRUE(fan->is_ours("180", "179"));  // it may round
}

TEST_F(RealActuatorsTest, ACapThatStandsForNoneIsLeftAlone) {
  files_->write(kCard + "/hwmon/hwmon3/power1_cap", "18446744073709551615\n");
  files_->write(kCard + "/hwmon/hwmon3/power1_cap_min", "18446744073709551615\n");
  const auto power = only(card(Vendor::amd), ActuatorKind::power_limit);
  EXPECT_EQ(power->wish(0.8, power->look().value()), std::nullopt);
  EXPECT_EQ(power->wish(0.8, "220000000"), std::nullopt);  // the lowest that it takes is above it
}

TEST_F(RealActuatorsTest, AnIntelCardHasItsHighestClock) {
  files_->write(kCard + "/tile0/gt0/freq0/max_freq", "2050\n");
  files_->write(kCard + "/tile0/gt0/freq0/rpn_freq", "300\n");
  files_->write(kCard + "/hwmon/hwmon5/power1_max", "300000000\n");
  const auto intel = card(Vendor::intel);
  ASSERT_THAT(all(intel), SizeIs(2));
  EXPECT_EQ(only(intel, ActuatorKind::locked_clocks)->wish(0.5, "2050"), "1025");
  EXPECT_EQ(only(intel, ActuatorKind::power_limit)->name().place, kCard + "/hwmon/hwmon5/power1_max");
  const auto again = actuators_.find(only(intel, ActuatorKind::locked_clocks)->name());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->look(), "2050");
}

TEST_F(RealActuatorsTest, WhatIsMadeUpCannotBeChanged) {
  files_->write(kCard + "/hwmon/hwmon3/power1_cap", "220000000\n");
  Device made_up = facts("GPU-x", "card", "0000:03:00.0", Vendor::amd);
  made_up.simulated = true;
  EXPECT_THAT(all(device(0, made_up, busy())), IsEmpty());
}

class NvmlActuatorsTest : public RealActuatorsTest {
 protected:
  NvmlActuatorsTest() {
    slot_ = nvml_.add_gpu();
    auto& gpu = nvml_.gpu(slot_);
    gpu.fans = 2;
    gpu.fan_percent[0] = gpu.fan_percent[1] = 40;
    nvml_.state().setters_permitted = 1;
    uuid_ = gpu.uuid;
  }
  DeviceSnapshot gpu() { return device(0, facts(uuid_, "NVIDIA H100", "0000:10:00.0"), busy()); }

  FakeNvml nvml_;
  int slot_ = 0;
  std::string uuid_;
};

TEST_F(NvmlActuatorsTest, ThePowerLimitIsLoweredAndGivenBack) {
  const auto power = only(gpu(), ActuatorKind::power_limit);
  const auto found = power->look();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::to_string(nvml_.gpu(slot_).power_limit_mw));
  const auto wish = power->wish(0.8, *found);
  ASSERT_TRUE(wish);
  ASSERT_TRUE(power->set(*wish));
  EXPECT_EQ(std::to_string(nvml_.gpu(slot_).power_limit_mw), *wish);
  EXPECT_LT(nvml_.gpu(slot_).power_limit_mw, std::stoul(*found));
  ASSERT_TRUE(power->give_back(*found));
  EXPECT_EQ(power->look(), *found);
  EXPECT_EQ(nvml_.open_sessions(), 0U);
}

TEST_F(NvmlActuatorsTest, TheWishIsWithinTheBoardsRange) {
  const auto power = only(gpu(), ActuatorKind::power_limit);
  settings_.power_limit_lowest = Percent(10);
  const auto low = only(gpu(), ActuatorKind::power_limit);
  const auto found = low->look().value();
  EXPECT_EQ(low->wish(0, found), std::to_string(nvml_.gpu(slot_).power_limit_min_mw));
}

TEST_F(NvmlActuatorsTest, ClocksAreBoundAndUnbound) {
  const auto clocks = only(gpu(), ActuatorKind::locked_clocks);
  EXPECT_EQ(clocks->look(), "auto");
  const auto wish = clocks->wish(0.5, "auto");
  ASSERT_TRUE(wish);
  ASSERT_TRUE(clocks->set(*wish));
  EXPECT_EQ(*wish, "0," + std::to_string(nvml_.gpu(slot_).locked_gpu_clocks[1]));
  ASSERT_TRUE(clocks->give_back("auto"));
  EXPECT_EQ(nvml_.gpu(slot_).locked_gpu_clocks[1], 0U);
}

TEST_F(NvmlActuatorsTest, AllFansAreSetAndGivenBack) {
  const auto fan = only(gpu(), ActuatorKind::fan);
  EXPECT_EQ(fan->look(), "auto");
  EXPECT_EQ(fan->wish(0.5, "auto"), "85");
  ASSERT_TRUE(fan->set("85"));
  EXPECT_EQ(nvml_.gpu(slot_).fan_target[1], 85U);
  EXPECT_EQ(fan->look(), "85");
  ASSERT_TRUE(fan->give_back("auto"));
  EXPECT_EQ(nvml_.gpu(slot_).fan_target[0], 0U);
  EXPECT_EQ(nvml_.gpu(slot_).fan_target[1], 0U);
}

TEST_F(NvmlActuatorsTest, OneFanThatIsSetByHandIsEnoughToLeaveThemAlone) {
  nvml_.gpu(slot_).fan_target[1] = 60;
  const auto fan = only(gpu(), ActuatorKind::fan);
  const auto found = fan->look();
  EXPECT_NE(found, "auto");
  EXPECT_EQ(fan->wish(0, found.value()), std::nullopt);
  nvml_.gpu(slot_).fans = 0;
  EXPECT_EQ(only(gpu(), ActuatorKind::fan)->look().error().code, Errc::not_supported);
}

TEST_F(NvmlActuatorsTest, ARangeThatIsNoneIsNotFollowed) {
  nvml_.gpu(slot_).fan_lowest = 90;
  nvml_.gpu(slot_).fan_highest = 20;
  const auto fan = only(gpu(), ActuatorKind::fan);
  EXPECT_EQ(fan->look(), "auto");
  EXPECT_EQ(fan->wish(0.5, "auto"), "85");
}

TEST_F(NvmlActuatorsTest, APowerLimitThatNoBoardHasIsLeftAlone) {
  EXPECT_EQ(only(gpu(), ActuatorKind::power_limit)->wish(0.8, "18446744073709551615"), std::nullopt);
}

TEST_F(NvmlActuatorsTest, WithoutRootItSaysWhatToDo) {
  nvml_.state().setters_permitted = 0;
  const auto set = only(gpu(), ActuatorKind::power_limit)->set("400000");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, Errc::not_permitted);
  EXPECT_THAT(set.error().message, testing::EndsWith("; run gpukeeper as root to let it do so"));
}

TEST_F(NvmlActuatorsTest, AGpuThatIsNotThereIsNotFound) {
  uuid_ = "GPU-00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(only(gpu(), ActuatorKind::power_limit)->look().error().code, Errc::not_found);
}

class FreezerTest : public RealActuatorsTest {
 protected:
  FreezerTest() {
    files_->write("/proc/self/mountinfo",
                  "24 29 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
                  "35 24 0:30 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    put("/jobs/train", {4242, 4243}, "python3");
  }
  void put(const std::string& group, const std::vector<int>& pids, const std::string& name) {
    std::string procs;
    for (const int pid : pids) {
      procs += std::to_string(pid) + "\n";
      files_->write("/proc/" + std::to_string(pid) + "/comm", name + "\n");
      files_->write("/proc/" + std::to_string(pid) + "/cgroup", "1:name=systemd:/x\n0::" + group + "\n");
    }
    files_->write("/sys/fs/cgroup/unified" + group + "/cgroup.procs", procs);
    files_->write("/sys/fs/cgroup/unified" + group + "/cgroup.freeze", "0\n");
  }
  std::unique_ptr<Actuator> freezer() {
    auto d = card(Vendor::other);
    set_processes(d, {process(4242, "python3", 1000)});
    return only(d, ActuatorKind::freeze);
  }
};

TEST_F(FreezerTest, AGroupIsFrozenAndThawedWhereVersion2IsMounted) {
  const auto actuator = freezer();
  ASSERT_TRUE(actuator);
  EXPECT_EQ(actuator->name().place, "/sys/fs/cgroup/unified/jobs/train");
  EXPECT_EQ(actuator->look(), "0");
  EXPECT_EQ(actuator->wish(0.5, "0"), std::nullopt);
  EXPECT_EQ(actuator->wish(0, "0"), "1");
  EXPECT_EQ(actuator->wish(0, "1"), std::nullopt);  // somebody else froze it
  ASSERT_TRUE(actuator->set("1"));
  EXPECT_EQ(text("/sys/fs/cgroup/unified/jobs/train/cgroup.freeze"), "1\n");
  ASSERT_TRUE(actuators_.find(actuator->name()));
  files_->remove("/sys/fs/cgroup/unified/jobs/train");
  EXPECT_FALSE(actuators_.find(actuator->name()));
}

TEST_F(FreezerTest, OnlyWhatTheSettingsName) {
  settings_.freeze_cgroups = {"/other/*"};
  EXPECT_FALSE(freezer());
}

TEST_F(FreezerTest, LettersOfPathsAreWhatTheyAre) {
  settings_.freeze_cgroups = {"/JOBS/*"};
  EXPECT_FALSE(freezer());
}

TEST_F(FreezerTest, AGroupThatCannotBeReadIsNotGone) {
  const auto name = freezer()->name();
  files_->fail(name.place + "/cgroup.freeze", Errc::internal);
  ASSERT_TRUE(actuators_.find(name));
  EXPECT_EQ(actuators_.find(name)->look().error().code, Errc::internal);
}

TEST_F(FreezerTest, NeverAGroupWithSomethingThatMustRun) {
  for (const std::string name : {"Xorg", "gnome-shell", "nvidia-persiste", "nvidia-cuda-mps", "sshd"}) {
    put("/jobs/train/below.scope", {5000}, name);
    EXPECT_FALSE(freezer()) << name;
  }
  put("/jobs/train/below.scope", {5000}, "python3");
  EXPECT_TRUE(freezer());
}

TEST_F(FreezerTest, WhatCannotBeSeenInsideIsNotFrozen) {
  files_->fail("/proc/4243/comm", Errc::not_permitted);
  EXPECT_FALSE(freezer());
  files_->remove("/proc/4243");  // it has ended
  EXPECT_TRUE(freezer());
  put("/jobs/train", {4242, 0}, "python3");  // of another pid namespace
  EXPECT_FALSE(freezer());
}

// A machine with control groups of version 1 alone.
class StopperTest : public RealActuatorsTest {
 protected:
  StopperTest() {
    files_->write("/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
    files_->link("/proc/self", std::to_string(::getpid()));
    put(4242, "python3", 'R', 777);
  }
  void put(int pid, const std::string& name, char state, int start) {
    const std::string folder = "/proc/" + std::to_string(pid);
    files_->write(folder + "/cgroup", "4:memory:/x\n1:name=systemd:/jobs/train\n");
    files_->write(folder + "/stat", std::to_string(pid) + " (" + name + ") " + state +
                                        " 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(start) +
                                        " 0 100 1 1 1 1 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
  }
  std::unique_ptr<Actuator> stopper() {
    auto d = card(Vendor::other);
    set_processes(d, {process(4242, "python3", 1000)});
    return only(d, ActuatorKind::freeze);
  }
};

TEST_F(StopperTest, AProcessStopsAndGoesOn) {
  const auto actuator = stopper();
  ASSERT_TRUE(actuator);
  EXPECT_EQ(actuator->name().place, "process 4242 begun at 777");
  EXPECT_EQ(actuator->look(), "running");
  EXPECT_EQ(actuator->wish(0.5, "running"), std::nullopt);
  EXPECT_EQ(actuator->wish(0, "running"), "stopped");
  EXPECT_EQ(actuator->wish(0, "stopped"), std::nullopt);  // somebody else did it
  ASSERT_TRUE(actuator->set("stopped"));
  put(4242, "python3", 'T', 777);
  EXPECT_EQ(actuator->look(), "stopped");
  ASSERT_TRUE(actuators_.find(actuator->name()));
  ASSERT_TRUE(actuator->give_back("running"));
  EXPECT_THAT(signals_->sent, testing::ElementsAre("4242 of 777 stops", "4242 of 777 goes on"));
}

TEST_F(StopperTest, AnotherProcessWithItsPidIsNotMeant) {
  const auto actuator = stopper();
  put(4242, "python3", 'R', 999);
  EXPECT_EQ(actuator->look().error(), (Error{Errc::not_found, "process 4242 has ended"}));
  EXPECT_FALSE(actuators_.find(actuator->name()));
}

TEST_F(StopperTest, TheSameProhibitionsHold) {
  for (const std::string name : {"Xorg", "nvidia-persiste", "nvidia-cuda-mps"}) {
    put(4242, name, 'R', 777);
    EXPECT_FALSE(stopper()) << name;
  }
  put(4242, "python3", 'R', 777);
  EXPECT_TRUE(stopper());
  settings_.freeze_cgroups = {"/other/*"};
  EXPECT_FALSE(stopper());
}

TEST_F(StopperTest, WherePidsMeanSomethingElseNothingIsStopped) {
  files_->link("/proc/self", "17");
  EXPECT_FALSE(stopper());
}

TEST_F(StopperTest, WhereGroupsOfVersion2AreMountedTheyAreFrozenInstead) {
  files_->write("/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 none rw\n");
  EXPECT_FALSE(stopper());
}

TEST(CgroupTest, PathsOfVersion1) {
  EXPECT_EQ(cgroup1_path("4:memory:/a\n1:name=systemd:/user.slice/b:c\n"), "/user.slice/b:c");
  EXPECT_EQ(cgroup1_path("5:cpu:/\n4:memory:/a\n"), "/a");
  EXPECT_EQ(cgroup1_path("0::/a\n"), std::nullopt);
  EXPECT_EQ(cgroup1_path("garbage"), std::nullopt);
}

TEST(CgroupTest, MountsAndPathsOfVersion2) {
  EXPECT_EQ(cgroup2_mount("35 24 0:30 / /sys/fs/cgroup rw - cgroup2 none rw\n"), "/sys/fs/cgroup");
  EXPECT_EQ(cgroup2_mount("35 24 0:30 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw\n"), std::nullopt);
  EXPECT_EQ(cgroup2_mount("35 24 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"), std::nullopt);
  EXPECT_EQ(cgroup2_mount(""), std::nullopt);
  EXPECT_EQ(cgroup2_path("12:memory:/a\n0::/user.slice/b c\n"), "/user.slice/b c");
  EXPECT_EQ(cgroup2_path("12:memory:/a\n"), std::nullopt);
}

}  // namespace
}  // namespace gpukeeper
