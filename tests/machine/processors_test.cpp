#include "machine/processors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::Optional;

constexpr std::string_view kBefore =
    "cpu  100 0 100 800 0 0 0 0 0 0\n"
    "cpu0 50 0 50 400 0 0 0 0 0 0\n"
    "cpu1 50 0 50 400 0 0 0 0 0 0\n"
    "intr 12345 0 0\n";
constexpr std::string_view kNow =
    "cpu  150 0 100 950 0 0 0 0 0 0\n"
    "cpu0 100 0 50 450 0 0 0 0 0 0\n"
    "cpu1 50 0 50 500 0 0 0 0 0 0\n";

TEST(ProcessorsTest, UsageIsThatBetweenTwoLooks) {
  const MemoryFiles files;
  const auto facts = processor_facts(files, parse_processor_times(kBefore), parse_processor_times(kNow));
  EXPECT_THAT(facts.usage, Optional(Percent(25)));
  EXPECT_THAT(facts.each, ElementsAre(Optional(Percent(50)), Optional(Percent(0))));
  EXPECT_EQ(facts.threads, 2u);
}

TEST(ProcessorsTest, WithoutALookBeforeThereIsNoUsage) {
  const MemoryFiles files;
  const auto facts = processor_facts(files, {}, parse_processor_times(kNow));
  EXPECT_EQ(facts.usage, std::nullopt);
  EXPECT_THAT(facts.each, ElementsAre(Eq(std::nullopt), Eq(std::nullopt)));
}

TEST(ProcessorsTest, AProcessorThatCameMeanwhileHasNoUsageYet) {
  const MemoryFiles files;
  const auto before = parse_processor_times("cpu  100 0 100 800\ncpu0 50 0 50 400\n");
  const auto facts = processor_facts(files, before, parse_processor_times(kNow));
  EXPECT_THAT(facts.each, ElementsAre(Optional(Percent(50)), Eq(std::nullopt)));
}

TEST(ProcessorsTest, ACounterThatGoesBackTellsNothing) {
  const MemoryFiles files;
  const auto facts = processor_facts(files, parse_processor_times(kNow), parse_processor_times(kBefore));
  EXPECT_EQ(facts.usage, std::nullopt);
}

TEST(ProcessorsTest, LinesThatAreNoneAreLeftOut) {
  for (const std::string_view text :
       {"", "cpu", "cpu0", "cpu \ncpux 1 2 3 4 5\n", "cpu  1 2\ncpu99999999999999999999 1 2 3 4\n", "\xff\xfe\n\n\n",
        "cpu9000 1 2 3 4 5\n", "cpu1 a b c d\n", "cpu1 -1 2 3 4\n"}) {
    const auto times = parse_processor_times(text);
    EXPECT_FALSE(times.all) << text;
    EXPECT_TRUE(times.each.empty()) << text;
  }
}

TEST(ProcessorsTest, WhatAMachineDoesNotTellIsAbsent) {
  const MemoryFiles files;
  const auto facts = processor_facts(files, {}, {});
  EXPECT_EQ(facts.frequency, std::nullopt);
  EXPECT_EQ(facts.frequency_max, std::nullopt);
  EXPECT_EQ(facts.temperature, std::nullopt);
  EXPECT_EQ(facts.load_average, std::nullopt);
  EXPECT_EQ(facts.cores, std::nullopt);
  EXPECT_EQ(facts.threads, 0u);
}

TEST(ProcessorsTest, CoresAreToldFromThreadsByPackageAndNumber) {
  MemoryFiles files;
  files.write("/proc/cpuinfo",
              "physical id\t: 0\ncore id\t\t: 0\ncpu MHz\t\t: 2000.000\n\n"
              "physical id\t: 0\ncore id\t\t: 0\ncpu MHz\t\t: 3000.000\n\n"
              "physical id\t: 1\ncore id\t\t: 0\ncpu MHz\t\t: nonsense\n\nno colon here\n");
  const auto facts = processor_facts(files, {}, {});
  EXPECT_EQ(facts.cores, 2u);
  EXPECT_THAT(facts.frequency, Optional(Megahertz(2500)));
}

TEST(ProcessorsTest, TheGovernorsOwnFrequenciesComeFirst) {
  MemoryFiles files;
  files.write("/proc/cpuinfo", "cpu MHz : 1.0\n");
  const std::string root = "/sys/devices/system/cpu/cpufreq/";
  files.write(root + "policy0/scaling_cur_freq", "2000000\n");
  files.write(root + "policy4/scaling_cur_freq", "4000000\n");
  files.write(root + "policy0/cpuinfo_max_freq", "3500000\n");
  files.write(root + "policy4/cpuinfo_max_freq", "5500000\n");
  files.write(root + "boost", "1\n");
  const auto facts = processor_facts(files, {}, {});
  EXPECT_THAT(facts.frequency, Optional(Megahertz(3000)));
  EXPECT_THAT(facts.frequency_max, Optional(Megahertz(5500)));
}

TEST(ProcessorsTest, TheTemperatureIsThatOfTheHottestSensorOfAProcessor) {
  MemoryFiles files;
  files.write("/sys/class/hwmon/hwmon0/name", "nvme\n");
  files.write("/sys/class/hwmon/hwmon0/temp1_input", "99000\n");
  files.write("/sys/class/hwmon/hwmon1/name", "coretemp\n");
  files.write("/sys/class/hwmon/hwmon1/temp1_input", "61000\n");
  files.write("/sys/class/hwmon/hwmon1/temp2_input", "64500\n");
  files.write("/sys/class/hwmon/hwmon1/temp3_input", "N/A\n");
  files.write("/sys/class/hwmon/hwmon1/temp2_crit", "100000\n");
  EXPECT_THAT(processor_facts(files, {}, {}).temperature, Optional(Celsius(64.5)));
  files.fail("/sys/class/hwmon/hwmon1/temp2_input", Errc::internal);
  EXPECT_THAT(processor_facts(files, {}, {}).temperature, Optional(Celsius(61)));
}

TEST(ProcessorsTest, LoadAverage) {
  EXPECT_THAT(parse_load_average("0.42 0.35 0.30 1/812 4711\n"), Optional(ElementsAre(0.42, 0.35, 0.30)));
  for (const std::string_view text : {"", "1 2", "a b c", "-1 0 0", "nan 1 1"}) {
    EXPECT_EQ(parse_load_average(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gpukeeper
