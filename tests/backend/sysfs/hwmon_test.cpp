#include "backend/sysfs/hwmon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/sysfs/counting_files.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kDevice = "/sys/class/drm/card0/device";
const std::string kMonitor = kDevice + "/hwmon/hwmon4";

class HwmonTest : public ::testing::Test {
 protected:
  void file(const std::string& name, const std::string& content) { files_.write(kMonitor + "/" + name, content); }
  Hwmon find(std::string_view name = {}) { return Hwmon::find(files_, kDevice, name).value(); }

  MemoryFiles files_;
};

TEST_F(HwmonTest, ACardWithoutMonitorHasNone) {
  EXPECT_FALSE(Hwmon::find(files_, kDevice, "amdgpu"));
}

TEST_F(HwmonTest, TheMonitorIsChosenByItsName) {
  file("name", "iwlwifi\n");
  files_.write(kDevice + "/hwmon/hwmon7/name", "amdgpu\n");
  EXPECT_EQ(find("amdgpu").folder(), kDevice + "/hwmon/hwmon7");
  EXPECT_EQ(find().folder(), kMonitor);
}

TEST_F(HwmonTest, ValuesAreInTheirUnits) {
  file("temp1_input", "54500\n");
  file("power1_average", "71500000\n");
  file("fan1_input", "0\n");
  file("in0_input", "603\n");
  file("freq1_input", "2850000000\n");
  file("energy1_input", "11031745544\n");
  file("pwm1_enable", "2\n");
  const auto monitor = find();
  EXPECT_EQ(monitor.celsius("temp1_input"), Celsius(54.5));
  EXPECT_EQ(monitor.watts("power1_average"), Watts(71.5));
  EXPECT_EQ(monitor.rpm("fan1_input"), Rpm(0)) << "a stopped fan is a value";
  EXPECT_EQ(monitor.volts("in0_input"), 0.603);
  EXPECT_EQ(monitor.megahertz("freq1_input"), Megahertz(2850));
  EXPECT_EQ(monitor.microjoules("energy1_input"), 11031745544u);
  EXPECT_EQ(monitor.number("pwm1_enable"), 2);
}

TEST_F(HwmonTest, LabelsAreReadOnceAndAbsentSensorsNever) {
  file("temp1_input", "50000\n");
  file("temp1_label", "edge\n");
  file("temp10_input", "52000\n");
  file("temp10_label", "vram_ch_4\n");
  const auto monitor = find();
  files_.take_accesses();
  EXPECT_THAT(monitor.channels("temp"), ElementsAre(1u, 10u));
  EXPECT_EQ(monitor.label("temp", 10), "vram_ch_4");
  EXPECT_EQ(monitor.labelled("temp", "edge"), 1u);
  EXPECT_EQ(monitor.labelled("temp", "junction"), std::nullopt);
  EXPECT_EQ(monitor.celsius("temp2_input"), Metric<Celsius>(missing(Missing::not_supported)));
  EXPECT_THAT(files_.take_accesses(), IsEmpty());
  EXPECT_EQ(monitor.celsius("temp1_input"), Celsius(50));
  EXPECT_THAT(files_.take_accesses(), ElementsAre(kMonitor + "/temp1_input"));
}

TEST_F(HwmonTest, AbsentValuesCarryTheirReason) {
  file("power1_cap", "\n");
  file("temp1_input", "not a number\n");
  file("temp2_input", "40000\n");
  file("temp3_input", "-273150\n");
  file("fan1_input", "65535\n");
  files_.fail(kMonitor + "/temp2_input", Errc::not_permitted);
  const auto monitor = find();
  EXPECT_EQ(monitor.watts("power1_cap"), Metric<Watts>(missing(Missing::not_supported))) << "empty";
  EXPECT_EQ(monitor.celsius("temp1_input"), Metric<Celsius>(missing(Missing::failed)));
  EXPECT_EQ(monitor.celsius("temp2_input"), Metric<Celsius>(missing(Missing::not_permitted)));
  EXPECT_EQ(monitor.celsius("temp3_input"), Metric<Celsius>(missing(Missing::failed))) << "absolute zero is no reading";
  EXPECT_EQ(monitor.rpm("fan1_input"), Metric<Rpm>(missing(Missing::failed)));
}

TEST_F(HwmonTest, ADriverThatRefusesForNowIsRemembered) {
  file("temp1_input", "40000\n");
  files_.fail(kMonitor + "/temp1_input", Errc::unavailable);
  auto monitor = find();
  EXPECT_FALSE(monitor.take_refused());
  EXPECT_EQ(monitor.celsius("temp1_input"), Metric<Celsius>(missing(Missing::failed)));
  EXPECT_TRUE(monitor.take_refused());
  EXPECT_FALSE(monitor.take_refused());
  EXPECT_FALSE(monitor.gone());
}

TEST_F(HwmonTest, AMonitorWhoseFilesVanishIsGone) {
  file("temp1_input", "40000\n");
  const auto monitor = find();
  files_.remove(kMonitor);
  EXPECT_EQ(monitor.celsius("temp1_input"), Metric<Celsius>(missing(Missing::not_supported)));
  EXPECT_TRUE(monitor.gone());
}

TEST_F(HwmonTest, FanDriveIsAShareOfFullSpeed) {
  file("pwm1", "51\n");
  file("pwm2", "50\n");
  file("pwm2_max", "200\n");
  file("pwm3", "300\n");
  const auto monitor = find();
  EXPECT_EQ(monitor.pwm(1), Percent(20));
  EXPECT_EQ(monitor.pwm(2), Percent(25));
  EXPECT_EQ(monitor.pwm(3), Metric<Percent>(missing(Missing::failed)));
  EXPECT_EQ(monitor.pwm(4), Metric<Percent>(missing(Missing::not_supported)));
}

TEST_F(HwmonTest, CountingFilesCountEveryAccessAndItsTime) {
  file("temp1_input", "40000\n");
  FakeClock clock;
  const CountingFiles counting(files_, clock);
  const auto monitor = Hwmon::find(counting, kDevice).value();
  const auto before = counting.cost().calls;
  EXPECT_EQ(monitor.celsius("temp1_input"), Celsius(40));
  EXPECT_FALSE(counting.read("/nothing"));
  EXPECT_EQ(counting.cost().calls, before + 2);
}

}  // namespace
}  // namespace gpukeeper
