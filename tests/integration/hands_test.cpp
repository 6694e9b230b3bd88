#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actuators/process_freezer.hpp"
#include "core/files.hpp"
#include "fakes/nvml/fake_nvml.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/throttle_report.hpp"
#include "integration/http_client.hpp"
#include "integration/served.hpp"
#include "proc/process_stat.hpp"

// `gpukeeper serve` with its hands on: what it takes of a GPU that is hot, and that it gives it back however it ends.

namespace gpukeeper {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr unsigned kHot = 86;
constexpr unsigned kCool = 40;

class HandsTest : public testing::Test {
 protected:
  HandsTest() {
    write("gpukeeper.yaml", "listen: [\"unix:" + path("gk.sock") +
                                "\"]\n"
                                "actuators: {power_limit: true, locked_clocks: true, pause_down: 1s, pause_up: 1s}\n");
    fs::create_directory(path("state"));
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
  }
  void configure(const std::string& actuators) const {
    write("gpukeeper.yaml", "listen: [\"unix:" + path("gk.sock") + "\"]\n" + actuators);
  }
  std::string read(const std::string& name) const { return read_file(path(name), 1 << 20).value_or("not there"); }

  std::unique_ptr<Served> serve(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", path("gpukeeper.yaml"), "--state-dir", path("state")});
    return std::make_unique<Served>(std::move(arguments), path("log"));
  }

  ThrottleReport throttle() const {
    service::HttpClient client({.path = path("gk.sock"), .host = {}, .port = 0});
    client.send("GET /api/v1/throttle HTTP/1.1\r\nHost: x\r\n\r\n");
    return parse_throttle_report(service::body_of(client.receive())).value_or(ThrottleReport());
  }

  const TemporaryFolder folder_;
};

class NvmlHandsTest : public HandsTest {
 protected:
  NvmlHandsTest() : gpu_(nvml_.gpu(nvml_.add_gpu())) { gpu_.temperature = kHot; }

  std::unique_ptr<Served> serve() {
    return HandsTest::serve({"--source", "nvml:" + FakeNvml::library_path().string()});
  }
  bool holds() {
    return eventually([&] { return gpu_.power_limit_mw == kHeld && gpu_.locked_gpu_clocks[1] != 0; });
  }
  // Both changed values, by somebody who kills the program that holds them.
  void leave_changed() {
    const auto served = serve();
    ASSERT_TRUE(holds()) << served->log();
    ASSERT_EQ(served->stop(SIGKILL), 128 + SIGKILL);
    ASSERT_EQ(gpu_.power_limit_mw, kHeld);
    ASSERT_THAT(read("state/changes"), HasSubstr(R"("found":"700000")"));
  }

  static constexpr unsigned kFound = 700'000;
  static constexpr unsigned kHeld = 350'000;
  FakeNvml nvml_;
  fake_nvml::Gpu& gpu_;
};

TEST_F(NvmlHandsTest, AHotGpuIsHeldBackAndASignalGivesEverythingBack) {
  ASSERT_EQ(gpu_.power_limit_mw, kFound);
  const auto served = serve();
  ASSERT_TRUE(holds()) << served->log();
  ASSERT_TRUE(eventually([&] { return throttle().changes.size() == 2; }));
  const ThrottleReport told = throttle();
  EXPECT_EQ(told.changes[0].kind, "power_limit");
  EXPECT_EQ(told.changes[0].found, "700 W");
  EXPECT_EQ(told.changes[0].effective, "350 W");
  EXPECT_EQ(told.changes[1].set, "up to 990 MHz");
  EXPECT_EQ(told.changes[1].effective, "runs at " + std::to_string(gpu_.clocks[0]) + " MHz");
  EXPECT_EQ(served->stop(SIGTERM), 0) << served->log();
  EXPECT_EQ(gpu_.power_limit_mw, kFound);
  EXPECT_EQ(gpu_.locked_gpu_clocks[1], 0U);
  EXPECT_EQ(read("state/changes"), "");
  EXPECT_THAT(served->log(), HasSubstr("(nvml): 700 W again: gpukeeper ends\n"));
}

TEST_F(NvmlHandsTest, WhatAKilledOneLeftIsGivenBackByTheNext) {
  ASSERT_NO_FATAL_FAILURE(leave_changed());
  gpu_.temperature = kCool;
  const auto next = serve();
  EXPECT_TRUE(eventually([&] { return gpu_.power_limit_mw == kFound && gpu_.locked_gpu_clocks[1] == 0; }))
      << next->log();
  EXPECT_TRUE(next->says("(nvml): 700 W again: left by a process that ended without giving it back"));
  EXPECT_TRUE(eventually([&] { return read("state/changes").empty(); }));
}

TEST_F(NvmlHandsTest, WhatAKilledOneLeftIsGivenBackByRestoreAlone) {
  ASSERT_NO_FATAL_FAILURE(leave_changed());
  const auto restore = HandsTest::serve({"--restore", "--source", "nvml:" + FakeNvml::library_path().string()});
  EXPECT_EQ(restore->wait(), 0) << restore->log();
  EXPECT_EQ(gpu_.power_limit_mw, kFound);
  EXPECT_EQ(gpu_.locked_gpu_clocks[1], 0U);
  EXPECT_EQ(read("state/changes"), "");
}

TEST_F(NvmlHandsTest, WhatRestoreCannotGiveBackItSays) {
  ASSERT_NO_FATAL_FAILURE(leave_changed());
  nvml_.state().setters_permitted = 0;
  const auto restore = HandsTest::serve({"--restore", "--source", "nvml:" + FakeNvml::library_path().string()});
  EXPECT_EQ(restore->wait(), 1);
  EXPECT_THAT(restore->log(), HasSubstr("gpukeeper: not given back: "));
  EXPECT_EQ(gpu_.power_limit_mw, kHeld);
}

TEST_F(NvmlHandsTest, RestoreLeavesWhatARunningOneHolds) {
  const auto served = serve();
  ASSERT_TRUE(holds()) << served->log();
  const auto restore = HandsTest::serve({"--restore", "--source", "nvml:" + FakeNvml::library_path().string()});
  EXPECT_EQ(restore->wait(), 1);
  EXPECT_EQ(gpu_.power_limit_mw, kHeld);
}

TEST_F(NvmlHandsTest, WhatSomebodySetMeanwhileIsLeftAlone) {
  ASSERT_NO_FATAL_FAILURE(leave_changed());
  gpu_.temperature = kCool;
  gpu_.power_limit_mw = 450'000;
  const auto next = serve();
  EXPECT_TRUE(next->says("it is 450 W, not 350 W as we set it: somebody else has changed it, and we leave it"));
  EXPECT_TRUE(eventually([&] { return read("state/changes").empty(); }));
  EXPECT_EQ(gpu_.locked_gpu_clocks[1], 0U);  // those nobody else touched
  EXPECT_EQ(next->stop(SIGTERM), 0);
  EXPECT_EQ(gpu_.power_limit_mw, 450'000U);
}

TEST_F(NvmlHandsTest, WhatIsRefusedIsToldAndNotTheWish) {
  nvml_.state().setters_permitted = 0;
  const auto served = serve();
  ASSERT_TRUE(eventually([&] { return throttle().changes.size() == 2; })) << served->log();
  EXPECT_EQ(throttle().changes[0].set, "");
  EXPECT_EQ(throttle().changes[0].problem, "set the power limit: no permission; run gpukeeper as root to let it do so");
}

TEST_F(NvmlHandsTest, TheConfigurationOpensAndClosesTheHandsWhileItRuns) {
  const auto served = serve();
  ASSERT_TRUE(holds()) << served->log();
  configure("actuators: {locked_clocks: true}\n");
  EXPECT_TRUE(eventually([&] { return gpu_.power_limit_mw == kFound && gpu_.locked_gpu_clocks[1] != 0; }))
      << served->log();
  EXPECT_TRUE(served->says("(nvml): 700 W again: the configuration has changed"));
  configure("");
  EXPECT_TRUE(eventually([&] { return gpu_.locked_gpu_clocks[1] == 0; })) << served->log();
}

TEST_F(NvmlHandsTest, ADriverThatHangsWhileItGivesBackHoldsUpNoStop) {
  auto served = serve();
  ASSERT_TRUE(holds()) << served->log();
  nvml_.hang(FakeNvml::Symbol::nvmlDeviceSetPowerManagementLimit);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(served->stop(SIGTERM), 0) << served->log();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));  // two, on a machine that is not busy
  EXPECT_THAT(
      served->log(),
      HasSubstr("warning: stopped while a driver did not answer to what gives values of GPUs back: the next start "
                "gives back what is left, which 'changes' and 'frozen' in the state directory list\n"));
  EXPECT_EQ(gpu_.power_limit_mw, kHeld);
  nvml_.clear_faults();
  gpu_.temperature = kCool;
  served = serve();
  EXPECT_TRUE(eventually([&] { return gpu_.power_limit_mw == kFound; })) << served->log();
}

// A process of the GPU in a control group; both are made-up files.
class FreezingHandsTest : public NvmlHandsTest {
 protected:
  FreezingHandsTest() {
    gpu_.temperature = 95;
    nvml_.add_process(0, {.pid = 4242});
    write("root/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 none rw\n");
    write("root/proc/4242/cgroup", "0::/jobs/train\n");
    write("root/proc/4242/comm", "python3\n");
    write(kGroup + "/cgroup.procs", "4242\n");
    write(kGroup + "/cgroup.freeze", "0");
    configure("actuators: {power_limit: true, freeze: true, freeze_cgroups: [/jobs/*]}\n");
  }
  std::unique_ptr<Served> serve() {
    return HandsTest::serve({"--source", "nvml:" + FakeNvml::library_path().string(), "--root", path("root")});
  }
  bool becomes(const std::string& frozen) const {
    return eventually([&] { return read(kGroup + "/cgroup.freeze") == frozen; });
  }

  const std::string kGroup = "root/sys/fs/cgroup/jobs/train";
};

TEST_F(FreezingHandsTest, WhatIsFrozenRunsAgainAtTheEndThoughTheDriverHangs) {
  const auto served = serve();
  ASSERT_TRUE(becomes("1")) << served->log();
  ASSERT_TRUE(eventually([&] { return gpu_.power_limit_mw == kHeld; })) << served->log();
  nvml_.hang(FakeNvml::Symbol::nvmlDeviceSetPowerManagementLimit);
  nvml_.hang(FakeNvml::Symbol::nvmlDeviceGetTemperature);
  EXPECT_EQ(served->stop(SIGTERM), 0) << served->log();
  EXPECT_EQ(read(kGroup + "/cgroup.freeze"), "0");
  EXPECT_EQ(read("state/frozen"), "");
  EXPECT_EQ(gpu_.power_limit_mw, kHeld);
}

TEST_F(FreezingHandsTest, WhatIsFrozenRunsAgainAfterACrashThoughTheDriverHangs) {
  {
    const auto served = serve();
    ASSERT_TRUE(becomes("1")) << served->log();
    ASSERT_TRUE(eventually([&] { return gpu_.power_limit_mw == kHeld; })) << served->log();
    ASSERT_EQ(served->stop(SIGKILL), 128 + SIGKILL);
  }
  nvml_.hang(FakeNvml::Symbol::nvmlInit_v2);
  const auto next = serve();
  EXPECT_TRUE(becomes("0")) << next->log();
}

class SysfsHandsTest : public HandsTest {
 protected:
  SysfsHandsTest() {
    put("uevent", "DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:73BF\nPCI_SLOT_NAME=0000:03:00.0\n");
    put("unique_id", "00112233aabbccdd\n");
    put("power/runtime_status", "active\n");
    put("gpu_busy_percent", "97\n");
    put("mem_info_vram_total", "17163091968\n");
    put("mem_info_vram_used", "668274688\n");
    put("hwmon/hwmon5/name", "amdgpu\n");
    put("hwmon/hwmon5/temp1_label", "edge\n");
    put("hwmon/hwmon5/temp1_input", std::to_string(kHot * 1000) + "\n");
    put("hwmon/hwmon5/power1_average", "250000000\n");
    put("hwmon/hwmon5/power1_cap", "280000000\n");
    fs::create_directories(path("root/sys/class/drm/card1"));
    fs::create_directory_symlink("../../../bus/pci/devices/0000:03:00.0", path("root/sys/class/drm/card1/device"));
  }

  static std::string file(const std::string& name) { return "root/sys/bus/pci/devices/0000:03:00.0/" + name; }
  void put(const std::string& name, const std::string& text) const { write(file(name), text); }
  std::string cap() const { return std::string(read(file("hwmon/hwmon5/power1_cap"))); }
  std::unique_ptr<Served> serve() { return HandsTest::serve({"--source", "sysfs", "--root", path("root")}); }
};

TEST_F(SysfsHandsTest, ThePowerCapOfAnAmdCardGoesDownAndUpAgain) {
  const auto served = serve();
  ASSERT_TRUE(eventually([&] { return cap().starts_with("140000000"); })) << cap() << served->log();
  ASSERT_EQ(served->stop(SIGKILL), 128 + SIGKILL);
  put("hwmon/hwmon5/temp1_input", "40000\n");
  const auto next = serve();
  EXPECT_TRUE(eventually([&] { return cap().starts_with("280000000"); })) << cap() << next->log();
}

// A process of our own that sleeps until it is killed.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  std::optional<ProcessStat> stat() const {
    return parse_process_stat(RealFiles().read("/proc/" + std::to_string(pid_) + "/stat").value_or(""));
  }
  bool becomes(char state) const {
    return eventually([&] { return stat() && stat()->state == state; });
  }

 private:
  const pid_t pid_;
};

TEST(RealSignalsTest, TheProcessThatIsMeantStopsAndGoesOnAndNoOther) {
  const Sleeper sleeper;
  ASSERT_TRUE(sleeper.becomes('S'));
  const ProcessName name{sleeper.stat()->pid, sleeper.stat()->start_ticks};
  RealSignals signals(std::make_shared<const RealFiles>());
  ASSERT_TRUE(signals.send(name, SIGSTOP));
  EXPECT_TRUE(sleeper.becomes('T'));
  const auto other = signals.send({name.pid, name.start_ticks + 1}, SIGCONT);
  EXPECT_EQ(other, (fail(Errc::not_found, "process " + std::to_string(name.pid) + " has ended")));
  EXPECT_TRUE(sleeper.becomes('T'));
  ASSERT_TRUE(signals.send(name, SIGCONT));
  EXPECT_TRUE(sleeper.becomes('S'));
}

}  // namespace
}  // namespace gpukeeper
