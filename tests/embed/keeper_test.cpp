#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embed/opened.hpp"

namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(KeeperTest, ReadsTheGpusOfThisProcess) {
  const Opened keeper;
  ASSERT_EQ(gk_device_count(keeper), 2U);
  gk_reading reading{.size = sizeof reading};
  ASSERT_EQ(gk_read(keeper, 0, &reading), GK_OK) << gk_last_error();
  EXPECT_EQ(reading.index, 0U);
  EXPECT_EQ(reading.available, 1);
  EXPECT_EQ(reading.simulated, 1);
  EXPECT_THAT(reading.uuid, StartsWith("GPU-"));
  EXPECT_STREQ(reading.name, "NVIDIA GeForce RTX 4090");
  EXPECT_GT(reading.temperature_celsius, 0);
  EXPECT_GT(reading.memory_total_bytes, reading.memory_used_bytes);
  EXPECT_NEAR(reading.memory_percent,
              100.0 * static_cast<double>(reading.memory_used_bytes) / static_cast<double>(reading.memory_total_bytes),
              1e-9);
  EXPECT_GT(reading.read_at, 1.6e9);
}

TEST(KeeperTest, WithoutADriverItOpensAndHasNoDevices) {
  const Opened keeper({.source = "sysfs:/nowhere-at-all"});
  EXPECT_EQ(keeper.result(), GK_NOT_FOUND) << gk_last_error();
  const Opened none({.source = "auto"});
  EXPECT_EQ(none.result(), GK_OK) << gk_last_error();
}

TEST(KeeperTest, AnIndexThatIsNotThereIsNotFound) {
  const Opened keeper;
  gk_reading reading{.size = sizeof reading};
  EXPECT_EQ(gk_read(keeper, 2, &reading), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no GPU 2: they are 0 to 1");
  EXPECT_EQ(gk_latest(keeper, UINT32_MAX, &reading), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no GPU 4294967295: they are 0 to 1");
  gk_throttling throttling{.size = sizeof throttling};
  EXPECT_EQ(gk_throttle(keeper, 9, &throttling), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no GPU 9: they are 0 to 1");
}

TEST(KeeperTest, AnOlderCallerGetsTheMembersThatItKnows) {
  const Opened keeper;
  gk_reading reading{};
  reading.size = offsetof(gk_reading, read_at);
  reading.read_at = -1;
  ASSERT_EQ(gk_latest(keeper, 1, &reading), GK_OK) << gk_last_error();
  EXPECT_EQ(reading.size, offsetof(gk_reading, read_at));
  EXPECT_EQ(reading.index, 1U);
  EXPECT_EQ(reading.read_at, -1);
}

TEST(KeeperTest, ANewerCallerKeepsWhatThisLibraryDoesNotKnow) {
  struct Newer {
    gk_reading known;
    double unknown;
  };
  const Opened keeper;
  Newer reading{.known = {}, .unknown = -1};
  reading.known.size = sizeof reading;
  ASSERT_EQ(gk_latest(keeper, 0, &reading.known), GK_OK) << gk_last_error();
  EXPECT_EQ(reading.known.size, sizeof reading);
  EXPECT_EQ(reading.known.available, 1);
  EXPECT_EQ(reading.unknown, -1);
}

TEST(KeeperTest, WrongArgumentsAreNamed) {
  const Opened keeper;
  gk_reading reading{};
  EXPECT_EQ(gk_read(keeper, 0, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "gk_reading is NULL: give a gk_reading");
  EXPECT_EQ(gk_read(keeper, 0, &reading), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "gk_reading.size is 0: set it to sizeof(gk_reading)");
  EXPECT_EQ(gk_read(nullptr, 0, &reading), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "keeper is NULL: give one that gk_open() made");
  gk_throttling throttling{.size = sizeof throttling};
  EXPECT_EQ(gk_throttle(keeper, -2, &throttling), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "index is -2: it takes that of a GPU, or GK_ALL_DEVICES (-1)");
  EXPECT_EQ(gk_judge(keeper, 50, 50, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "state is NULL: give the address of an int32_t");
  EXPECT_EQ(gk_open(nullptr, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "keeper is NULL: give the address of a gk_keeper*");
  gk_keeper* opened = nullptr;
  const gk_options options{};
  EXPECT_EQ(gk_open(&options, &opened), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "gk_options.size is 0: set it to sizeof(gk_options)");
  EXPECT_STREQ(gk_last_problem(), "");
}

TEST(KeeperTest, WhatCannotBeOpenedIsSaid) {
  const Opened unknown({.source = "nonsense"});
  EXPECT_EQ(unknown.result(), GK_INVALID);
  EXPECT_THAT(unknown.error(), StartsWith("there is no source 'nonsense'; there are: auto, nvml"));
  const Opened missing({.source = "simulated:nowhere.yaml"});
  EXPECT_EQ(missing.result(), GK_NOT_FOUND);
  EXPECT_EQ(missing.error(), "open the scenario: open nowhere.yaml: No such file or directory");
  const Opened config({.config = "/nowhere/gpukeeper.yaml"});
  EXPECT_NE(config.result(), GK_OK);
  EXPECT_THAT(config.error(), HasSubstr("/nowhere/gpukeeper.yaml"));
}

TEST(KeeperTest, JudgesByTheConfiguredThresholds) {
  const Opened keeper;
  struct Case {
    double temperature;
    double memory;
    std::int32_t state;
  };
  for (const Case& each :
       {Case{50, 10, GK_OPTIMAL}, Case{70, 10, GK_NORMAL}, Case{80, 10, GK_THROTTLED}, Case{85, 10, GK_CRITICAL},
        Case{NAN, 90, GK_THROTTLED}, Case{50, 96, GK_CRITICAL}, Case{NAN, NAN, GK_STATE_UNAVAILABLE}}) {
    std::int32_t state = -1;
    ASSERT_EQ(gk_judge(keeper, each.temperature, each.memory, &state), GK_OK) << gk_last_error();
    EXPECT_EQ(state, each.state) << each.temperature << " °C, " << each.memory << " %";
  }
}

TEST(KeeperTest, SaysHowFastWorkMayGo) {
  const Opened keeper;
  gk_throttling throttling{.size = sizeof throttling};
  ASSERT_EQ(gk_throttle(keeper, GK_ALL_DEVICES, &throttling), GK_OK) << gk_last_error();
  EXPECT_EQ(throttling.should_throttle, throttling.speed_multiplier <= 0.5 ? 1 : 0);
  ASSERT_EQ(gk_throttle(keeper, 1, &throttling), GK_OK) << gk_last_error();
  EXPECT_GT(throttling.speed_multiplier, 0);
}

TEST(KeeperTest, MonitorsOnlyWhenItIsTold) {
  const Opened keeper;
  EXPECT_EQ(gk_is_monitoring(keeper), 0);
  EXPECT_EQ(gk_monitor(keeper, 1), GK_OK);
  EXPECT_EQ(gk_is_monitoring(keeper), 1);
  EXPECT_EQ(gk_monitor(keeper, 0), GK_OK);
  EXPECT_EQ(gk_is_monitoring(keeper), 0);
  const Opened at_once({.monitoring = 1});
  EXPECT_EQ(gk_is_monitoring(at_once), 1);
}

TEST(KeeperTest, AClosedKeeperAnswersThatItIsClosed) {
  Opened keeper;
  gk_keeper* const handle = keeper;
  keeper.close();
  gk_reading reading{.size = sizeof reading};
  EXPECT_EQ(gk_read(handle, 0, &reading), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "this keeper is closed");
  EXPECT_EQ(gk_device_count(handle), 0U);
  gk_close(handle);  // twice is once
  gk_close(nullptr);
}

TEST(KeeperTest, ErrorsAreOfTheThreadThatMadeThem) {
  EXPECT_EQ(gk_read(nullptr, 0, nullptr), GK_INVALID);
  std::thread([] { EXPECT_STREQ(gk_last_error(), ""); }).join();
  EXPECT_STREQ(gk_last_error(), "keeper is NULL: give one that gk_open() made");
}

TEST(KeeperTest, SaysItsVersion) {
  EXPECT_EQ(gk_abi(), std::uint32_t{GK_ABI});
  EXPECT_STREQ(gk_version(), GPUKEEPER_VERSION);
}

}  // namespace
