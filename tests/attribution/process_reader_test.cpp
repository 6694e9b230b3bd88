#include "attribution/process_reader.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "proc_tree.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

class ProcessReaderTest : public testing::Test {
 protected:
  ProcessFacts facts(std::int64_t pid = 4711) {
    reader_.begin_round();
    const auto stat = reader_.stat(pid);
    EXPECT_TRUE(stat) << stat.error().message;
    const auto identity = reader_.identity(*stat, MonotonicTime{});
    EXPECT_TRUE(identity);
    return identity->facts;
  }

  ProcTree tree_;
  ProcessReader reader_{tree_.files, KernelUnits{100, 16384}};
};

TEST_F(ProcessReaderTest, SaysWhoAProcessIs) {
  tree_.put({.pid = 4000, .name = "bash", .terminal = 34819, .start_ticks = 500});
  tree_.put({.parent = 4000,
             .terminal = 34819,
             .cgroup = "0::/user.slice/user-1000.slice/session-3.scope\n",
             .nspid = "4711\t12\t7"});
  const auto f = facts();
  EXPECT_EQ(f.pid, 4711);
  EXPECT_EQ(f.user, "alice");
  EXPECT_EQ(f.uid, 1000u);
  EXPECT_EQ(f.command, "python3");
  EXPECT_EQ(f.command_line, "python3 train.py --token ***");
  EXPECT_EQ(f.executable, "/usr/bin/python3.11");
  EXPECT_EQ(f.started, WallTime(1'780'001'234'500ms));
  EXPECT_EQ(f.start_ticks, 123'450u);
  EXPECT_EQ(f.place->unit, "session-3.scope");
  EXPECT_EQ(**f.root, (InteractiveRoot{4000, "bash", "pts/3"}));
  EXPECT_EQ(f.pid_in_namespace, 7);
}

TEST_F(ProcessReaderTest, SaysFromWhomAProcessDescendsAndWhichLeaseItNames) {
  tree_.put({.pid = 4000, .name = "gpukeeper", .start_ticks = 500});
  tree_.put({.parent = 4000});
  EXPECT_EQ(facts().forebears, (std::vector<std::int64_t>{4000, 1}));
  EXPECT_EQ(facts().lease, 0u);  // its environment may not be read
  tree_.files.write("/proc/4711/environ", "HOME=/root\0GPUKEEPER_LEASES=8\0GPUKEEPER_LEASE=7\0GPUKEEPER_LEASE=9\0"s);
  EXPECT_EQ(facts().lease, 7u);
  tree_.files.write("/proc/4711/environ", "GPUKEEPER_LEASE=seven\0"s);
  EXPECT_EQ(facts().lease, 0u);
  tree_.files.write("/proc/4711/environ", "PATH=/bin\0X"s);
  EXPECT_EQ(facts().lease, 0u);
}

TEST_F(ProcessReaderTest, AParentThatIsYoungerThanItsChildIsNone) {
  tree_.put({.pid = 4000, .name = "another", .start_ticks = 999'999});
  tree_.put({.parent = 4000});
  EXPECT_TRUE(facts().forebears.empty());
}

TEST_F(ProcessReaderTest, UnitsAreThoseOfTheKernel) {
  tree_.put({.cpu_ticks = 250, .pages = 3});
  const auto stat = reader_.stat(4711);
  EXPECT_EQ(reader_.cpu_time(*stat), 2500ms);
  EXPECT_EQ(reader_.resident(*stat), Bytes(3 * 16384));
  const auto units = KernelUnits::of_this_machine();
  EXPECT_EQ(units.ticks_per_second, 100u);  // USER_HZ of every machine that we build for
  EXPECT_GE(units.page_bytes, 4096u);
}

TEST_F(ProcessReaderTest, WhatMayNotBeReadIsNotPermitted) {
  tree_.put({});
  tree_.files.fail("/proc/4711/exe", Errc::not_permitted);
  tree_.files.fail("/proc/4711/status", Errc::unavailable);  // EPERM, as with hidepid=1
  const auto f = facts();
  EXPECT_EQ(f.executable.error(), Missing::not_permitted);
  EXPECT_EQ(f.user.error(), Missing::not_permitted);
  EXPECT_EQ(f.uid.error(), Missing::not_permitted);
  EXPECT_EQ(f.pid_in_namespace.error(), Missing::not_permitted);
  EXPECT_EQ(f.command_line, "python3 train.py --token ***");
}

TEST_F(ProcessReaderTest, ReasonsByTheKernelsAnswer) {
  EXPECT_EQ(missing_in_proc(Errc::not_permitted), Missing::not_permitted);
  EXPECT_EQ(missing_in_proc(Errc::unavailable), Missing::not_permitted);
  EXPECT_EQ(missing_in_proc(Errc::not_supported), Missing::not_supported);
  EXPECT_EQ(missing_in_proc(Errc::not_found), Missing::failed);
  EXPECT_EQ(missing_in_proc(Errc::internal), Missing::failed);
}

TEST_F(ProcessReaderTest, KernelThreadHasNoCommandLineAndNoExecutable) {
  tree_.put({.pid = 2, .parent = 0, .cmdline = ""});
  tree_.files.write("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0");
  const auto f = facts(2);
  EXPECT_EQ(f.command_line.error(), Missing::not_supported);
  EXPECT_EQ(f.executable.error(), Missing::not_supported);
}

TEST_F(ProcessReaderTest, NamesAndArgumentsMayHoldAnything) {
  tree_.put({.name = "a) R 9 (b", .cmdline = "\x1b[2J\nred\xff\0--x=\t\0"s});
  const auto f = facts();
  EXPECT_EQ(f.command, "a) R 9 (b");
  EXPECT_EQ(f.command_line, "\x1b[2J\nred\xff --x=\t");
  EXPECT_EQ(f.start_ticks, 123'450u);
}

TEST_F(ProcessReaderTest, WithoutATimeOfBootTheStartIsUnknown) {
  tree_.files.write("/proc/stat", "cpu 1 2 3\n");
  tree_.put({});
  EXPECT_EQ(facts().started.error(), Missing::failed);
  tree_.files.fail("/proc/stat", Errc::not_permitted);
  EXPECT_EQ(facts().started.error(), Missing::not_permitted);
}

TEST_F(ProcessReaderTest, ImpossibleTimesAreNoTimes) {
  tree_.put({.start_ticks = 18'446'744'073'709'551'615u});
  EXPECT_EQ(facts().started.error(), Missing::failed);
  tree_.files.write("/proc/stat", "btime 18446744073709551615\n");
  tree_.put({});
  ProcessReader fresh(tree_.files, {100, 4096});
  EXPECT_EQ(fresh.identity(*fresh.stat(4711), MonotonicTime{})->facts.started.error(), Missing::failed);
}

TEST_F(ProcessReaderTest, ForebearsThatProcHidesAreNotPermitted) {
  tree_.put({.parent = 4000});
  tree_.end(1);  // hidepid=2: processes of other users are not there at all
  EXPECT_TRUE(reader_.hides());
  EXPECT_EQ(facts().root.error(), Missing::not_permitted);
}

TEST_F(ProcessReaderTest, ForebearThatHasGoneIsUnknown) {
  tree_.put({.parent = 4000});
  EXPECT_FALSE(reader_.hides());
  EXPECT_EQ(facts().root.error(), Missing::failed);
}

TEST_F(ProcessReaderTest, ForebearsAreReadOnceARound) {
  tree_.put({.pid = 4000, .name = "bash", .terminal = 34819, .start_ticks = 500});
  tree_.put({.pid = 4711, .parent = 4000});
  tree_.put({.pid = 4712, .parent = 4000});
  reader_.begin_round();
  tree_.files.take_accesses();
  for (const std::int64_t pid : {4711, 4712}) ASSERT_TRUE(reader_.identity(*reader_.stat(pid), MonotonicTime{}));
  const auto accesses = tree_.files.take_accesses();
  EXPECT_EQ(std::count(accesses.begin(), accesses.end(), "/proc/4000/stat"), 1);
}

TEST_F(ProcessReaderTest, StatErrorsSayWhatWasReadAndWhatIsWrong) {
  EXPECT_EQ(reader_.stat(99).error(), (Error{Errc::not_found, "open /proc/99/stat: No such file or directory"}));
  tree_.files.write("/proc/99/stat", "");
  EXPECT_EQ(reader_.stat(99).error(), (Error{Errc::not_found, "read /proc/99/stat: the process has ended"}));
  tree_.files.write("/proc/99/stat", "nonsense");
  EXPECT_EQ(reader_.stat(99).error(), (Error{Errc::internal, "read /proc/99/stat: it is no line of proc(5)"}));
}

TEST_F(ProcessReaderTest, ProcessThatWasReplacedMeanwhileIsGone) {
  tree_.put({});
  const auto stat = reader_.stat(4711);
  tree_.put({.name = "stranger", .start_ticks = 999'999});
  EXPECT_FALSE(reader_.identity(*stat, MonotonicTime{}));
}

// Whatever access fails, the rest stands and nothing is made up.
TEST_F(ProcessReaderTest, EveryAccessMayFail) {
  tree_.put({.pid = 4000, .name = "bash", .terminal = 34819, .start_ticks = 500});
  tree_.put({.parent = 4000});
  ProcessReader whole(tree_.files, {100, 16384});
  const auto stat = whole.stat(4711);
  tree_.files.take_accesses();
  const auto complete = whole.identity(*stat, MonotonicTime{});
  const int accesses = static_cast<int>(tree_.files.take_accesses().size());
  ASSERT_GT(accesses, 7);
  for (int n = 1; n <= accesses; ++n) {
    ProcessReader reader(tree_.files, {100, 16384});
    tree_.files.fail_nth(n);
    const auto identity = reader.identity(*stat, MonotonicTime{});
    tree_.files.fail_nth(0);
    if (!identity) {
      EXPECT_EQ(n, accesses);  // whether it was the same process all the while could not be seen
      continue;
    }
    const ProcessFacts& f = identity->facts;
    const ProcessFacts& c = complete->facts;
    const auto same_or_failed = [](const auto& a, const auto& b) { return a ? a == b : a.error() == Missing::failed; };
    // Without the table of users a user is a number.
    EXPECT_TRUE(same_or_failed(f.user, c.user) || f.user == "1000") << n;
    EXPECT_TRUE(same_or_failed(f.uid, c.uid)) << n;
    EXPECT_TRUE(same_or_failed(f.command_line, c.command_line)) << n;
    EXPECT_TRUE(same_or_failed(f.executable, c.executable)) << n;
    EXPECT_TRUE(same_or_failed(f.started, c.started)) << n;
    EXPECT_TRUE(same_or_failed(f.place, c.place)) << n;
    EXPECT_TRUE(same_or_failed(f.root, c.root)) << n;
    EXPECT_TRUE(same_or_failed(f.pid_in_namespace, c.pid_in_namespace)) << n;
  }
}

}  // namespace
}  // namespace gpukeeper
