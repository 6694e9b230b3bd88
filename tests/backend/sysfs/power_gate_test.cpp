#include "backend/sysfs/power_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::StartsWith;

const std::string kFolder = "/sys/bus/pci/devices/0000:01:00.0";

class PowerGateTest : public ::testing::Test {
 protected:
  void status(const std::string& word) { files_.write(kFolder + "/power/runtime_status", word + "\n"); }
  void control(const std::string& word) { files_.write(kFolder + "/power/control", word + "\n"); }

  MemoryFiles files_;
  FakeClock clock_;
  PowerGate gate_{files_, clock_};
};

TEST_F(PowerGateTest, ASuspendedDeviceIsAsleep) {
  status("suspended");
  control("auto");
  EXPECT_EQ(gate_.look(kFolder), Attention::asleep);
}

TEST_F(PowerGateTest, NothingButThePowerFolderIsTouched) {
  status("suspended");
  control("auto");
  gate_.look(kFolder);
  gate_.note(kFolder, false);
  EXPECT_THAT(files_.take_accesses(), Each(StartsWith(kFolder + "/power/")));
}

TEST_F(PowerGateTest, ADeviceWithoutRuntimePowerManagementIsAlwaysAwake) {
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake);
  status("active");
  control("on");
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake);
}

TEST_F(PowerGateTest, AnIdleDeviceIsLeftAloneForTwiceItsAutosuspendDelay) {
  status("active");
  control("auto");
  files_.write(kFolder + "/power/autosuspend_delay_ms", "8000\n");
  EXPECT_EQ(gate_.look(kFolder), Attention::awake);
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::resting);
  clock_.advance(15'999ms);
  EXPECT_EQ(gate_.look(kFolder), Attention::resting);
  clock_.advance(1ms);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake);
}

TEST_F(PowerGateTest, ADeviceThatRestsInVainIsReadForLongerEachTime) {
  status("active");
  control("auto");
  gate_.note(kFolder, false);
  clock_.advance(10s);
  ASSERT_EQ(gate_.look(kFolder), Attention::awake);
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake) << "no second rest at once";
  clock_.advance(30s);
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::resting);
  clock_.advance(10s);
  ASSERT_EQ(gate_.look(kFolder), Attention::awake);
  clock_.advance(30s);
  gate_.note(kFolder, false);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake) << "patience has doubled";
}

TEST_F(PowerGateTest, ABusyDeviceIsNeverMadeToRest) {
  status("active");
  control("auto");
  gate_.note(kFolder, true);
  EXPECT_EQ(gate_.look(kFolder), Attention::awake);
}

TEST_F(PowerGateTest, WakeReadsASleepingDevice) {
  status("suspended");
  control("auto");
  EXPECT_EQ(PowerGate(files_, clock_, true).look(kFolder), Attention::awake);
}

TEST_F(PowerGateTest, TheStateIsTheKernelsWordOrD3cold) {
  EXPECT_EQ(gate_.runtime_state(kFolder), Metric<std::string>(missing(Missing::not_supported)));
  status("suspended");
  EXPECT_EQ(gate_.runtime_state(kFolder), "suspended");
  files_.write(kFolder + "/power_state", "D3cold\n");
  EXPECT_EQ(gate_.runtime_state(kFolder), "D3cold");
}

}  // namespace
}  // namespace gpukeeper
