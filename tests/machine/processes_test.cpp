#include "machine/processes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::Optional;

// A machine of 1000 MiB that counts time in hundredths of a second and memory in pages of 4 KiB.
class ProcessesTest : public testing::Test {
 protected:
  void write(std::int64_t pid, const std::string& name, std::uint64_t ticks, std::uint64_t pages,
             std::uint64_t start = 100) {
    files_.write(fmt::format("/proc/{}/stat", pid),
                 fmt::format("{} ({}) R 1 1 1 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1 0 {} 0 {} 0 1 1 1\n", pid, name, ticks,
                             start, pages));
  }
  ProcessesFacts facts(const ProcessLook& before, std::chrono::nanoseconds between = 1s) {
    return processes_facts(reader_, Classifier::built_in(), before, look_at_processes(files_), between, from_mib(1000),
                           MonotonicTime());
  }

  MemoryFiles files_;
  ProcessReader reader_{files_, {.ticks_per_second = 100, .page_bytes = 4096}};
};

TEST_F(ProcessesTest, TheBusiestAndTheLargestStandFirst) {
  write(10, "busy", 0, 256);
  write(11, "large", 0, 256 * 200);
  write(12, "idle", 0, 256);
  const auto before = look_at_processes(files_);
  write(10, "busy", 180, 256);
  write(11, "large", 5, 256 * 200);
  const auto found = facts(before);
  EXPECT_EQ(found.count, 3u);
  EXPECT_EQ(found.intensive, 2u);
  ASSERT_EQ(found.by_cpu.size(), 2u);
  EXPECT_EQ(found.by_cpu[0].stat.name, "busy");
  EXPECT_THAT(found.by_cpu[0].cpu, Optional(Percent(180)));
  EXPECT_TRUE(found.by_cpu[0].is_intensive());
  ASSERT_EQ(found.by_memory.size(), 1u);
  EXPECT_EQ(found.by_memory[0].stat.name, "large");
  EXPECT_EQ(found.by_memory[0].resident, 200_MiB);
  EXPECT_EQ(found.by_memory[0].memory, Percent(20));
}

TEST_F(ProcessesTest, WithoutALookBeforeNobodyIsBusy) {
  write(10, "busy", 100, 1);
  const auto found = facts({});
  EXPECT_EQ(found.count, 1u);
  EXPECT_THAT(found.by_cpu, IsEmpty());
}

TEST_F(ProcessesTest, APidThatWasGivenAgainIsAnotherProcess) {
  write(10, "old", 10, 1, 100);
  const auto before = look_at_processes(files_);
  write(10, "new", 90, 1, 200);
  EXPECT_THAT(facts(before).by_cpu, IsEmpty());
}

TEST_F(ProcessesTest, NoMoreThanTenOfEither) {
  for (std::int64_t pid = 1; pid <= 30; ++pid) write(pid, "one", 0, 256 * 20);
  const auto before = look_at_processes(files_);
  for (std::int64_t pid = 1; pid <= 30; ++pid) write(pid, "one", 50, 256 * 20);
  const auto found = facts(before);
  EXPECT_EQ(found.count, 30u);
  EXPECT_EQ(found.by_cpu.size(), 10u);
  EXPECT_EQ(found.by_memory.size(), 10u);
  EXPECT_EQ(found.by_cpu[0].stat.pid, 1);  // of equals the one with the lower pid
}

TEST_F(ProcessesTest, WhoStandsOutIsSaidWithSecretsMasked) {
  write(10, "python3", 0, 256 * 200);
  files_.write("/proc/10/cmdline", std::string("python3\0train.py\0--token=abc\0", 29));
  files_.write("/proc/10/status", "Uid:\t1000\t1000\t1000\t1000\n");
  files_.write("/etc/passwd", "mara:x:1000:1000::/home/mara:/bin/bash\n");
  files_.link("/proc/10/exe", "/usr/bin/python3.11");
  const auto found = facts({});
  ASSERT_EQ(found.by_memory.size(), 1u);
  const ProcessFacts& who = found.by_memory[0].facts;
  EXPECT_EQ(who.user, "mara");
  EXPECT_EQ(who.command_line, "python3 train.py --token=***");
  EXPECT_EQ(who.executable, "/usr/bin/python3.11");
  EXPECT_EQ(who.classification.kind, ProcessClass::ml_training);
}

TEST_F(ProcessesTest, OneThatEndsBeforeItIsAskedKeepsItsNumbers) {
  write(10, "gone", 0, 256 * 200);
  const auto look = look_at_processes(files_);
  files_.remove("/proc/10");
  const auto found = processes_facts(reader_, Classifier::built_in(), {}, look, 1s, from_mib(1000), MonotonicTime());
  ASSERT_EQ(found.by_memory.size(), 1u);
  EXPECT_EQ(found.by_memory[0].facts.pid, 10);
  EXPECT_FALSE(found.by_memory[0].facts.user);
}

TEST_F(ProcessesTest, WhatIsNoProcessIsLeftOut) {
  files_.write("/proc/12x/stat", "12 (a) R 1");
  files_.write("/proc/-5/stat", "-5 (a) R 1 1 1 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 1 0 1 0 1 1 1");
  files_.write("/proc/7/stat", "\xff\xfe((((");
  files_.write("/proc/8/stat", "9 (another) R 1 1 1 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 1 0 1 0 1 1 1");
  files_.write("/proc/9/other", "");
  EXPECT_THAT(look_at_processes(files_), IsEmpty());
  files_.fail("/proc", Errc::not_permitted);
  EXPECT_THAT(look_at_processes(files_), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper
