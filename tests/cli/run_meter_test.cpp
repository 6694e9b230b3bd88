#include "cli/run_meter.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_watch.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

RunLook look(std::chrono::seconds at, std::optional<Bytes> memory, RunLook::Gpu gpu) {
  gpu.id = "GPU-a";
  gpu.index = 0;
  return {.at = MonotonicTime(at), .memory = memory, .gpus = {gpu}};
}

TEST(RunMeterTest, BusyTimeAndEnergyAreSummedUpFromLookToLook) {
  RunMeter meter;
  meter.add(look(0s, 1_MiB, {.busy_percent = 100, .power_watts = 300}), true);
  meter.add(look(1s, 3_MiB, {.busy_percent = 50, .power_watts = 200}), true);
  meter.add(look(3s, std::nullopt, {.busy_percent = 25, .power_watts = 100}), false);
  const RunUse use = meter.use();
  ASSERT_EQ(use.gpus.size(), 1u);
  EXPECT_DOUBLE_EQ(use.gpus[0].busy_seconds.value(), 0.5 * 1 + 0.25 * 2);
  EXPECT_DOUBLE_EQ(use.gpu_seconds.value(), 1.0);
  EXPECT_DOUBLE_EQ(use.gpus[0].energy_joules.value(), 200 * 1 + 100 * 2);
  EXPECT_FALSE(use.gpus[0].energy_counted);
  EXPECT_EQ(use.peak, 3_MiB);
  EXPECT_EQ(use.mean, 2_MiB);
}

TEST(RunMeterTest, WhereTheDeviceCountsItselfItsCountersAreTaken) {
  RunMeter meter;
  meter.add(
      look(0s, std::nullopt, {.power_watts = 300, .energy_joules = 1000, .capped_seconds = 5, .too_hot_seconds = 2}),
      true);
  meter.add(
      look(2s, std::nullopt, {.power_watts = 300, .energy_joules = 1500, .capped_seconds = 6.5, .too_hot_seconds = 1}),
      true);
  const RunUse use = meter.use();
  EXPECT_DOUBLE_EQ(use.gpus[0].energy_joules.value(), 500);
  EXPECT_TRUE(use.gpus[0].energy_counted);
  EXPECT_DOUBLE_EQ(use.gpus[0].capped_seconds.value(), 1.5);
  EXPECT_EQ(use.gpus[0].too_hot_seconds, std::nullopt);  // it was set back meanwhile
  EXPECT_EQ(use.peak, std::nullopt);
}

TEST(RunMeterTest, WithoutALookThereIsNothingToTell) {
  EXPECT_TRUE(RunMeter().use().gpus.empty());
  EXPECT_EQ(RunMeter().use().looks, 0u);
}

RunAccount account() {
  return {.command = {"/usr/bin/train", "--fast"},
          .leases = {"7"},
          .service = "train",
          .status = 7,
          .wall = 90s,
          .held = 4s,
          .governed = true,
          .booked = 6144_MiB,
          .use = {.gpus = {{.id = "GPU-a",
                            .index = 0,
                            .busy_seconds = 45.0,
                            .energy_joules = 36'000.0,
                            .energy_counted = true,
                            .capped_seconds = 3.25}},
                  .peak = 5120_MiB,
                  .mean = 4096_MiB,
                  .gpu_seconds = 45.0,
                  .looks = 90}};
}

TEST(RunMeterTest, TheAccountIsAFewLines) {
  EXPECT_EQ(render_run(account(), {}),
            "/usr/bin/train ended with 7 after 1 min 30 s; lease 7\n"
            "  memory  5.0 GiB at most, 4.0 GiB on average, of 6.0 GiB booked\n"
            "  GPU 0   busy for 45.0 s (50 %); 36 kJ (10.0 Wh), of the whole board\n"
            "          slowed by its power limit: 3.2 s, by heat: not reported\n"
            "  held up 4.0 s by the governor\n");
}

TEST(RunMeterTest, WhatIsNotKnownIsSaidAndWhy) {
  RunAccount a{.command = {"sleep"},
               .leases = {"7", "8"},
               .signal = SIGTERM,
               .wall = 100ms,
               .booked = 1024_MiB,
               .memory_unknown = "as the GPU is made up"};
  EXPECT_EQ(render_run(a, {}),
            "sleep was ended by signal 15 (Terminated) after 0.1 s; lease 7, 8\n"
            "  memory  1.0 GiB booked; used: not known, as the GPU is made up\n"
            "  GPU     it ended before anybody looked at it\n");
}

TEST(RunMeterTest, TheAccountForProgramsHasNullForWhatIsNotKnown) {
  EXPECT_EQ(run_json(account()),
            R"({"schema":"gpukeeper.run/1","command":["/usr/bin/train","--fast"],"service":"train","leases":["7"],)"
            R"("exit_status":7,"signal":null,"wall_seconds":90.0,"gpu_seconds":45.0,"booked_bytes":6442450944,)"
            R"("memory_peak_bytes":5368709120,"memory_mean_bytes":4294967296,"memory_reason":null,"held_seconds":4.0,)"
            R"("looks":90,"gpus":[{"uuid":"GPU-a","index":0,"busy_seconds":45.0,"energy_joules":36000.0,)"
            R"("throttle_power_seconds":3.25,"throttle_thermal_seconds":null}]})");
  EXPECT_THAT(run_json({}), HasSubstr(R"("gpu_seconds":null)"));
}

TEST(StandsStillTest, ASpeedIsThePartOfEachSecondInWhichItGoes) {
  EXPECT_FALSE(stands_still(1, 999ms));
  EXPECT_TRUE(stands_still(0, 0ms));
  EXPECT_FALSE(stands_still(0.5, 499ms));
  EXPECT_TRUE(stands_still(0.5, 500ms));
  EXPECT_FALSE(stands_still(0.5, 1s));
  EXPECT_FALSE(stands_still(0.8, 5799ms));
  EXPECT_TRUE(stands_still(0.8, 5800ms));
}

}  // namespace
}  // namespace gpukeeper::cli
