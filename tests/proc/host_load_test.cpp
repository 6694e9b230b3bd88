#include "proc/host_load.hpp"

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(HostLoadTest, CpuTimesCountGuestsOnceAndWaitingForDisksAsIdle) {
  //                                user nice system idle iowait irq softirq steal guest guest_nice
  EXPECT_EQ(parse_cpu_times("cpu  100 10 30 800 40 5 10 5 50 5\ncpu0 1 2 3 4\n"),
            (CpuTimes{.busy = 160, .total = 1000}));
  EXPECT_EQ(parse_cpu_times("cpu  1 2 3 4"), (CpuTimes{.busy = 6, .total = 10}));  // Linux 2.4
}

TEST(HostLoadTest, WhatIsNoStatIsNothing) {
  for (const char* text : {"", "cpu", "cpu  ", "cpu  1 2 3", "cpu  1 x 3 4", "cpu0 1 2 3 4", "intr 7"}) {
    EXPECT_EQ(parse_cpu_times(text), std::nullopt) << text;
  }
}

TEST(HostLoadTest, MemoryUsedIsWhatNewWorkCouldNotHave) {
  EXPECT_EQ(parse_memory_used("MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n"), Percent(75));
  EXPECT_EQ(parse_memory_used("MemTotal: 1000 kB\nMemAvailable: 2000 kB\n"), Percent(0));
  for (const char* text : {"", "MemTotal: 1000 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemAvailable: 3 kB\n",
                           "MemTotal: much\nMemAvailable: 3 kB\n"}) {
    EXPECT_EQ(parse_memory_used(text), std::nullopt) << text;
  }
}

class HostLoadReaderTest : public testing::Test {
 protected:
  void set(const std::string& stat) { files->write("/proc/stat", stat); }
  HostLoad at(std::chrono::seconds time) { return reader.load(MonotonicTime(time)); }

  std::shared_ptr<MemoryFiles> files = std::make_shared<MemoryFiles>();
  HostLoadReader reader{files};
};

TEST_F(HostLoadReaderTest, TheProcessorsShareNeedsTwoLooksFiveSecondsApart) {
  files->write("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 100 kB\n");
  set("cpu  100 0 0 900 0 0 0 0\n");
  EXPECT_EQ(at(0s), (HostLoad{.memory_used = Percent(90)}));
  set("cpu  190 0 0 910 0 0 0 0\n");
  files->take_accesses();
  EXPECT_EQ(at(4s).cpu, std::nullopt);
  EXPECT_TRUE(files->take_accesses().empty());
  EXPECT_EQ(at(5s), (HostLoad{Percent(90), Percent(90)}));
}

TEST_F(HostLoadReaderTest, CountersThatGoBackTellNothingOnce) {
  set("cpu  100 0 0 900 0 0 0 0\n");
  at(0s);
  set("cpu  50 0 0 100 0 0 0 0\n");
  EXPECT_EQ(at(5s).cpu, std::nullopt);
  set("cpu  75 0 0 125 0 0 0 0\n");
  EXPECT_EQ(at(10s).cpu, Percent(50));
}

TEST_F(HostLoadReaderTest, FilesThatAreNotThereOrNoMachineTellNothing) {
  EXPECT_EQ(at(0s), HostLoad{});
  set("cpu  100 0 0 900 0 0 0 0\n");
  files->fail("/proc/meminfo", Errc::not_permitted);
  EXPECT_EQ(at(5s), HostLoad{});
  EXPECT_EQ(HostLoadReader(nullptr).load(MonotonicTime(0s)), HostLoad{});
}

}  // namespace
}  // namespace gpukeeper
