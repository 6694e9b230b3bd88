#include "attribution/process_watch.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "proc_tree.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

class FakeCpuClocks final : public CpuClocks {
 public:
  std::optional<std::chrono::nanoseconds> used(std::int64_t pid) const override {
    const auto found = times.find(pid);
    return found == times.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::int64_t, std::chrono::nanoseconds> times;
};

class ProcessWatchTest : public testing::Test {
 protected:
  static DeviceProcesses on(const std::string& device, std::vector<GpuProcess> processes, bool living = true) {
    return {DeviceId{device}, living, std::make_shared<const std::vector<GpuProcess>>(std::move(processes))};
  }
  const ProcessFacts* look(std::int64_t pid = 4711) {
    return look({on("GPU-a", {GpuProcess{.pid = pid, .utilization = utilization_}})}, pid);
  }
  const ProcessFacts* look(const std::vector<DeviceProcesses>& devices, std::int64_t pid = 4711) {
    found_ = watch_.look(devices, now_);
    return found_.table->find(DeviceId{"GPU-a"}, pid);
  }
  std::size_t accesses() { return tree_.files.take_accesses().size(); }

  ProcTree tree_;
  FakeCpuClocks clocks_;
  ProcessWatch watch_{&tree_.files, &clocks_, Classifier::built_in()};
  MonotonicTime now_{1h};
  Metric<Percent> utilization_ = Percent(90);
  Attribution found_;
};

TEST_F(ProcessWatchTest, FirstLookSaysAllButTheShareOfTheProcessor) {
  tree_.put({});
  clocks_.times[4711] = 5s;
  const auto* facts = look();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->user, "alice");
  EXPECT_EQ(facts->command_line, "python3 train.py --token ***");
  EXPECT_EQ(facts->cpu.error(), Missing::not_yet_read);
  EXPECT_GT(facts->resident.value(), Bytes(0));
  EXPECT_EQ(found_.reason, "");
  now_ += 20ms;
  clocks_.times[4711] += 30ms;
  EXPECT_EQ(look()->cpu, Percent(150));
}

TEST_F(ProcessWatchTest, ClassifierSeesTheArgumentsAndNobodyElse) {
  tree_.put({.name = "xmrig",
             .cmdline = "xmrig\0-o\0stratum+tcp://pool.example:3333\0-u\0wallet\0--password\0XYZZY\0"s,
             .executable = "/opt/xmrig"});
  const auto* facts = look();
  EXPECT_EQ(facts->classification.kind, ProcessClass::mining);
  EXPECT_FALSE(facts->classification.rule.empty());
  EXPECT_EQ(facts->command_line, "xmrig -o stratum+tcp://pool.example:3333 -u wallet --password ***");
}

TEST_F(ProcessWatchTest, WithoutClocksTicksTellTheShare) {
  ProcessWatch watch(&tree_.files, nullptr, Classifier::built_in());
  tree_.put({.cpu_ticks = 100});
  const auto devices = std::vector{on("GPU-a", {GpuProcess{.pid = 4711}})};
  watch.look(devices, now_);
  tree_.put({.cpu_ticks = 200});
  const auto found = watch.look(devices, now_ + 2s);
  EXPECT_EQ(found.table->find(DeviceId{"GPU-a"}, 4711)->cpu, Percent(50));
}

TEST_F(ProcessWatchTest, LaterLooksReadOneFileAProcess) {
  tree_.put({});
  look();
  accesses();
  now_ += 2s;
  look();
  EXPECT_EQ(tree_.files.take_accesses(), std::vector<std::string>{"/proc/4711/stat"});
}

TEST_F(ProcessWatchTest, OneProcessOnManyGpusIsReadOnce) {
  tree_.put({});
  std::vector<DeviceProcesses> devices;
  for (const auto* id : {"GPU-a", "GPU-b", "GPU-c"}) devices.push_back(on(id, {GpuProcess{.pid = 4711}}));
  look(devices);
  now_ += 2s;
  accesses();
  look(devices);
  EXPECT_EQ(accesses(), 1u);
  EXPECT_EQ(found_.table->size(), 3u);
  EXPECT_EQ(found_.table->find(DeviceId{"GPU-a"}, 4711), found_.table->find(DeviceId{"GPU-c"}, 4711));
}

TEST_F(ProcessWatchTest, OnlyTheProcessesThatDevicesNameAreLookedAt) {
  tree_.put({});
  for (std::int64_t pid = 10'000; pid < 12'000; ++pid) tree_.put({.pid = pid});
  look();
  for (const std::string& path : tree_.files.take_accesses()) EXPECT_NE(path.substr(0, 7), "/proc/1"s + "0");
  EXPECT_EQ(found_.table->size(), 1u);
}

TEST_F(ProcessWatchTest, WhoItIsIsReadAgainNowAndThen) {
  tree_.put({});
  EXPECT_EQ(look()->place->unit, "train.service");
  tree_.put({.cgroup = "0::/system.slice/other.service\n"});
  now_ += 29s;
  EXPECT_EQ(look()->place->unit, "train.service");
  now_ += 1s;
  EXPECT_EQ(look()->place->unit, "other.service");
}

TEST_F(ProcessWatchTest, ExecIsSeenByItsName) {
  tree_.put({.name = "bash", .cmdline = "bash\0"s});
  EXPECT_EQ(look()->command_line, "bash");
  tree_.put({});
  now_ += 2s;
  EXPECT_EQ(look()->command_line, "python3 train.py --token ***");
}

TEST_F(ProcessWatchTest, ExecOfTheSameNameIsSeenByWhereItsProgramLies) {
  tree_.put({.image = "94001 94002 140001", .cmdline = "python3\0a.py\0"s});
  EXPECT_EQ(look()->command_line, "python3 a.py");
  tree_.put({.image = "84001 84002 130001", .cmdline = "python3\0b.py\0"s});
  now_ += 2s;
  EXPECT_EQ(look()->command_line, "python3 b.py");
}

TEST_F(ProcessWatchTest, ReusedPidBeginsAnew) {
  tree_.put({});
  clocks_.times[4711] = 5s;
  look();
  now_ += 2s;
  clocks_.times[4711] = 6s;
  EXPECT_EQ(look()->cpu, Percent(50));
  tree_.put({.start_ticks = 999'999, .uid = 0, .cmdline = "python3\0other.py\0"s});
  clocks_.times[4711] = 9s;
  now_ += 2s;
  const auto* facts = look();
  EXPECT_EQ(facts->user, "root");
  EXPECT_EQ(facts->command_line, "python3 other.py");
  EXPECT_EQ(facts->cpu.error(), Missing::not_yet_read);
}

TEST_F(ProcessWatchTest, ProcessThatIsGoneIsNotInTheTable) {
  tree_.put({});
  ASSERT_TRUE(look());
  tree_.end(4711);
  EXPECT_FALSE(look());
  EXPECT_EQ(found_.table->size(), 0u);
}

TEST_F(ProcessWatchTest, ProcessThatEndsAtAnyPointIsGoneOrWhole) {
  tree_.put({});
  look();
  const int most = 12;
  for (int n = 1; n <= most; ++n) {
    ProcTree tree;
    tree.put({});
    ProcessWatch watch(&tree.files, nullptr, Classifier::built_in());
    tree.files.end_after("/proc/4711", n);
    const auto found = watch.look({on("GPU-a", {GpuProcess{.pid = 4711}})}, now_);
    // The last read of a look asks whether the process is still the same.
    const auto* facts = found.table->find(DeviceId{"GPU-a"}, 4711);
    EXPECT_EQ(facts != nullptr, n >= 7) << n;
  }
}

TEST_F(ProcessWatchTest, FactsAreKeptApartByTheMachineOfTheDevice) {
  tree_.put({});
  auto facts = std::make_shared<ProcessFacts>();
  facts->pid = 4711;
  facts->user = "simulated";
  facts->command_line = "python3 train.py --epochs 3";
  const std::vector devices = {on("GPU-a", {GpuProcess{.pid = 4711}}),
                               on("SIM-0", {GpuProcess{.pid = 4711, .facts = facts}}, false),
                               on("REC-0", {GpuProcess{.pid = 4711, .name = "python3"}}, false)};
  EXPECT_EQ(look(devices)->user, "alice");
  EXPECT_EQ(found_.table->find(DeviceId{"SIM-0"}, 4711)->user, "simulated");
  const auto* recorded = found_.table->find(DeviceId{"REC-0"}, 4711);
  EXPECT_EQ(recorded->user.error(), Missing::not_supported);
  EXPECT_EQ(recorded->cpu.error(), Missing::not_supported);
  EXPECT_EQ(recorded->root.error(), Missing::not_supported);
}

TEST_F(ProcessWatchTest, PidsOfOtherMachinesAreNeverLookedUp) {
  tree_.put({});
  accesses();
  look({on("SIM-0", {GpuProcess{.pid = 4711}}, false)});
  EXPECT_EQ(accesses(), 0u);
  ProcessWatch nowhere(nullptr, nullptr, Classifier::built_in());
  const auto found = nowhere.look({on("GPU-a", {GpuProcess{.pid = 4711}})}, now_);
  EXPECT_EQ(found.table->find(DeviceId{"GPU-a"}, 4711)->user.error(), Missing::not_supported);
}

TEST_F(ProcessWatchTest, WhatASourceToldIsJudgedAsWell) {
  auto facts = std::make_shared<ProcessFacts>();
  facts->command = "xmrig";
  facts->executable = "/opt/xmrig";
  facts->command_line = "xmrig -o stratum+tcp://pool.example:3333 -u wallet";
  const auto devices = std::vector{on("GPU-a", {GpuProcess{.pid = 7, .facts = facts}}, false)};
  EXPECT_EQ(look(devices, 7)->classification.kind, ProcessClass::mining);
  const auto* before = found_.table->find(DeviceId{"GPU-a"}, 7);
  const auto kept = found_.table;
  EXPECT_EQ(look(devices, 7), before);  // the same facts, not a copy
  auto judged = std::make_shared<ProcessFacts>(*facts);
  judged->classification = {.kind = ProcessClass::video, .rule = "of the recording", .reason = "", .confidence = 1};
  EXPECT_EQ(look({on("GPU-a", {GpuProcess{.pid = 7, .facts = judged}}, false)}, 7)->classification.rule,
            "of the recording");
}

TEST_F(ProcessWatchTest, SecretsInWhatASourceToldAreMaskedAndStayMasked) {
  ProcessFacts facts;
  facts.command_line = "python3 train.py --password=hunter2";
  for (const double share : {10.0, 20.0}) {  // the rest of what is told changes all the time
    facts.cpu = Percent(share);
    const GpuProcess told{.pid = 7, .facts = std::make_shared<const ProcessFacts>(facts)};
    EXPECT_EQ(look({on("GPU-a", {told}, false)}, 7)->command_line, "python3 train.py --password=***") << share;
  }
}

TEST_F(ProcessWatchTest, InAContainerTheHostsPidsNameStrangers) {
  tree_.files.link("/proc/self/ns/pid", "pid:[4026532500]");
  ProcessWatch watch(&tree_.files, nullptr, Classifier::built_in());
  tree_.put({});
  accesses();
  const auto found = watch.look(
      {on("GPU-a", {GpuProcess{.pid = 4711}}), on("GPU-b", {GpuProcess{.pid = 4711, .found_in_proc = false}})}, now_);
  EXPECT_EQ(accesses(), 0u);
  const auto* facts = found.table->find(DeviceId{"GPU-a"}, 4711);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->user.error(), Missing::not_permitted);
  EXPECT_EQ(facts->command_line.error(), Missing::not_permitted);
  EXPECT_EQ(facts->start_ticks.error(), Missing::not_permitted);
  EXPECT_EQ(facts->place.error(), Missing::not_permitted);
  EXPECT_EQ(found.reason,
            "the driver names processes by the host's pids, which mean others in this container: start it with the "
            "host's pid namespace (docker run --pid=host; hostPID: true in a pod), or mount the host's /proc and name "
            "its place with --root");
}

TEST_F(ProcessWatchTest, InAContainerPidsThatWereFoundInProcAreRight) {
  tree_.files.link("/proc/self/ns/pid", "pid:[4026532500]");
  ProcessWatch watch(&tree_.files, nullptr, Classifier::built_in());
  tree_.put({});
  const auto found = watch.look({on("GPU-a", {GpuProcess{.pid = 4711, .found_in_proc = true}})}, now_);
  EXPECT_EQ(found.table->find(DeviceId{"GPU-a"}, 4711)->user, "alice");
  EXPECT_EQ(found.reason, "");
}

TEST_F(ProcessWatchTest, ProcessesThatProcHidesAreNotPermitted) {
  tree_.end(1);
  const auto* facts = look();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->user.error(), Missing::not_permitted);
  EXPECT_EQ(found_.reason,
            "/proc hides other users' processes (its mount option hidepid): run as root, or join the group that the "
            "mount option gid= names");
}

TEST_F(ProcessWatchTest, ReasonSaysHowToSeeTheExecutablesOfOthers) {
  tree_.put({});
  tree_.files.fail("/proc/4711/exe", Errc::not_permitted);
  ASSERT_TRUE(look());
  EXPECT_EQ(found_.reason,
            "the executables of other users' processes may not be seen: run as root, or grant CAP_SYS_PTRACE (setcap "
            "cap_sys_ptrace+ep gpukeeper)");
}

TEST_F(ProcessWatchTest, StatThatCannotBeReadIsToldWithItsReason) {
  tree_.put({});
  tree_.files.fail("/proc/4711/stat", Errc::internal);
  EXPECT_EQ(look()->user.error(), Missing::failed);
  tree_.files.fail("/proc/4711/stat", Errc::not_permitted);
  EXPECT_EQ(look()->user.error(), Missing::not_permitted);
}

TEST_F(ProcessWatchTest, EveryAccessMayFail) {
  tree_.put({});
  look();
  const int count = static_cast<int>(accesses());
  for (int n = 1; n <= count; ++n) {
    ProcessWatch watch(&tree_.files, nullptr, Classifier::built_in());
    tree_.files.fail_nth(n);
    const auto devices = std::vector{on("GPU-a", {GpuProcess{.pid = 4711}})};
    watch.look(devices, now_);
    tree_.files.fail_nth(0);
    watch.look(devices, now_ + 31s);
    const auto found = watch.look(devices, now_ + 62s);
    EXPECT_EQ(found.table->find(DeviceId{"GPU-a"}, 4711)->command_line, "python3 train.py --token ***") << n;
  }
}

TEST(BusyTimeTest, CountsWhileTheGpuIsKeptBusy) {
  BusyTime busy;
  const MonotonicTime start{};
  EXPECT_EQ(busy.add(Percent(49), start), 0s);
  EXPECT_EQ(busy.add(Percent(50), start + 2s), 0s);
  EXPECT_EQ(busy.add(Percent(99), start + 60s), 58s);
  EXPECT_EQ(busy.add(Percent(10), start + 62s), 0s);
  EXPECT_EQ(busy.add(Percent(99), start + 64s), 0s);
  EXPECT_EQ(busy.add(missing(Missing::not_supported), start + 66s), std::nullopt);
  EXPECT_EQ(busy.add(Percent(99), start + 68s), 0s);
}

// With a name that speaks of mining it takes a load that lasts.
TEST_F(ProcessWatchTest, LoadThatLastsMakesAMiner) {
  tree_.put({.name = "xmrig", .cmdline = "xmrig\0"s, .executable = "/opt/xmrig"});
  EXPECT_NE(look()->classification.kind, ProcessClass::mining);
  for (int i = 0; i < 1000; ++i) {
    now_ += 2s;
    look();
  }
  EXPECT_EQ(look()->classification.kind, ProcessClass::mining);
}

}  // namespace
}  // namespace gpukeeper
