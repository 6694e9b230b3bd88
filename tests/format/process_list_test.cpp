#include "format/process_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/snapshots.hpp"
#include "format/process_list_text.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;

GpuProcess in_docker(GpuProcess process) {
  ProcessFacts facts;
  facts.user = "root";
  facts.uid = 0u;
  facts.started = kThen - std::chrono::hours(30);
  facts.cpu = Percent(7);
  facts.place = ProcessPlace{.container = Container{"docker", "4f1c09aa37de4b5c"}, .pod_uid = "5c6a0d3e-8f41"};
  return told(std::move(process), facts);
}

/// Two GPUs: a training and a server on the first, the server and a stranger on the second.
Snapshot busy_machine() {
  auto first = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  auto training = told(process(20, "python3", 12'000), mara_trains(20));
  training.utilization = Percent(73);
  auto server = in_docker(process(10, "server", 50'000));
  server.utilization = Percent(9);
  set_processes(first, {server, training});
  auto second = device(1, facts("GPU-b", "B", "0000:02:00.0"), busy());
  auto stranger = process(30, "stranger", 0);
  stranger.memory = missing(Missing::not_permitted);
  set_processes(second, {in_docker(process(10, "server", 100)), stranger});
  return machine({first, second});
}

std::vector<std::int64_t> pids(const std::vector<ProcessRow>& rows) {
  std::vector<std::int64_t> result;
  for (const ProcessRow& row : rows) result.push_back(row.process->pid);
  return result;
}

std::vector<std::int64_t> pids_where(const ProcessFilter& filter) {
  const Snapshot snapshot = busy_machine();
  auto rows = process_rows(snapshot);
  std::erase_if(rows, [&](const ProcessRow& row) { return !filter.holds(row); });
  return pids(rows);
}

std::vector<std::int64_t> pids_by(ProcessOrder order, bool reversed = false) {
  const Snapshot snapshot = busy_machine();
  auto rows = process_rows(snapshot);
  sort_processes(rows, order, reversed);
  return pids(rows);
}

TEST(ProcessListTest, ARowForEachProcessOnEachDeviceTheLargestFirst) {
  const Snapshot snapshot = busy_machine();
  const auto rows = process_rows(snapshot);
  EXPECT_THAT(pids(rows), ElementsAre(10, 20, 10, 30));
  EXPECT_EQ(rows[2].place, "1");
  EXPECT_THAT(rows[0].also_on, ElementsAre("1"));
  EXPECT_TRUE(rows[1].also_on.empty());
  EXPECT_EQ(rows[3].facts, nullptr);
  EXPECT_EQ(count_processes(rows), 3u);
}

TEST(ProcessListTest, AProcessInAPartitionStandsThere) {
  const Snapshot snapshot = split_gpu();
  EXPECT_EQ(process_rows(snapshot)[0].place, "0:1");
}

TEST(ProcessListTest, OnePidOnASimulatedAndARealDeviceIsTwoProcesses) {
  Snapshot snapshot = simulated_gpu();
  auto real = device(1, facts("GPU-r", "R", "0000:02:00.0"), busy());
  set_processes(real, {process(10'001, "python3", 1)});
  snapshot.devices.push_back(real);
  const auto rows = process_rows(snapshot);
  EXPECT_EQ(count_processes(rows), 2u);
  EXPECT_TRUE(rows[0].also_on.empty());
}

TEST(ProcessListTest, TheTableOfTheSnapshotKnowsBetterThanTheSource) {
  Snapshot snapshot = busy_machine();
  auto table = std::make_shared<ProcessTable>();
  ProcessFacts seen;
  seen.user = "seen";
  table->add(DeviceId{"GPU-a"}, 20, std::make_shared<const ProcessFacts>(seen));
  snapshot.who = table;
  EXPECT_EQ(process_rows(snapshot)[1].facts->user, "seen");
}

TEST(ProcessListTest, FiltersHoldTogether) {
  EXPECT_THAT(pids_where({.user = "mara"}), ElementsAre(20));
  EXPECT_THAT(pids_where({.user = "1000"}), ElementsAre(20)) << "by number";
  EXPECT_THAT(pids_where({.container = "4f1c"}), ElementsAre(10, 10));
  EXPECT_THAT(pids_where({.container = "docker:4f1c09"}), ElementsAre(10, 10));
  EXPECT_THAT(pids_where({.kind = ProcessClass::ml_training}), ElementsAre(20));
  EXPECT_THAT(pids_where({.kind = ProcessClass::unknown}), ElementsAre(10, 10, 30));
  EXPECT_THAT(pids_where({.pod = "5c6a"}), ElementsAre(10, 10));
  EXPECT_THAT(pids_where({.job = "4711"}), ElementsAre());
  EXPECT_THAT(pids_where({.user = "root", .pod = "5c6a"}), ElementsAre(10, 10));
  EXPECT_THAT(pids_where({.user = "mara", .pod = "5c6a"}), ElementsAre());
}

TEST(ProcessListTest, AFilterThatLeavesNothingIsAnsweredWithWhatThereIs) {
  const Snapshot snapshot = busy_machine();
  const auto all = process_rows(snapshot);
  EXPECT_EQ(nothing_holds(all, {.user = "bob"}), "no process of user 'bob' uses a GPU: there are mara and root");
  EXPECT_EQ(nothing_holds(all, {.container = "f00"}),
            "no process of container 'f00' uses a GPU: there is only docker:4f1c09aa37de");
  EXPECT_EQ(nothing_holds(all, {.kind = ProcessClass::gaming}),
            "no process of class 'gaming' uses a GPU: there are ml_training and unknown");
  EXPECT_EQ(nothing_holds(all, {.pod = "9"}), "no process of pod '9' uses a GPU: there is only 5c6a0d3e-8f41");
  EXPECT_EQ(nothing_holds(all, {.job = "9"}), "no process of job '9' uses a GPU: of no process here a job is known");
  EXPECT_EQ(nothing_holds(all, {.user = "mara", .pod = "5c6a"}),
            "no process fits all that was asked for; each condition alone is met by some");
  EXPECT_EQ(nothing_holds(all, {.user = "\x1b[31m"}), "no process of user '?[31m' uses a GPU: there are mara and root");
}

TEST(ProcessListTest, SortedByWhatWasAskedForAndWhatIsAbsentStandsLast) {
  EXPECT_THAT(pids_by(ProcessOrder::memory), ElementsAre(10, 20, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::memory, true), ElementsAre(10, 20, 10, 30)) << "100, 12000, 50000, absent";
  EXPECT_THAT(pids_by(ProcessOrder::gpu), ElementsAre(20, 10, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::gpu, true), ElementsAre(10, 20, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::cpu), ElementsAre(20, 10, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::time), ElementsAre(10, 10, 20, 30)) << "the longest running first";
  EXPECT_THAT(pids_by(ProcessOrder::time, true), ElementsAre(20, 10, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::pid), ElementsAre(10, 10, 20, 30));
  EXPECT_THAT(pids_by(ProcessOrder::pid, true), ElementsAre(30, 20, 10, 10));
  EXPECT_THAT(pids_by(ProcessOrder::user), ElementsAre(20, 10, 10, 30));
  EXPECT_THAT(pids_by(ProcessOrder::user, true), ElementsAre(10, 10, 20, 30));
}

TEST(ProcessListTest, AClassIsNamedAsInJson) {
  EXPECT_EQ(*parse_process_class("ml_training"), ProcessClass::ml_training);
  EXPECT_EQ(parse_process_class("ml-training").error().message,
            "there is no class 'ml-training': there are unknown, mining, ml_training, ml_inference, ml, video, gaming, "
            "desktop");
}

TEST(ProcessListTest, MemoryOfNobodyIsWhatIsInUseWithoutTheProcesses) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  set_processes(d, {process(1, "a", 50'000), process(2, "b", 2'000)});
  EXPECT_EQ(unattributed_memory(d), from_mib(10'000));
  set_processes(d, {process(1, "a", 70'000)});
  EXPECT_EQ(unattributed_memory(d), Bytes(0)) << "never negative";
  auto hidden = process(2, "b", 0);
  hidden.memory = missing(Missing::not_permitted);
  set_processes(d, {hidden});
  EXPECT_EQ(unattributed_memory(d), std::nullopt);
  set_processes(d, {});
  d.processes_reason = "they may not be read";
  EXPECT_EQ(unattributed_memory(d), std::nullopt);
}

TEST(ProcessListTest, APodIsFoundByItsNamesToo) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts named = mara_trains(1);
  named.place = ProcessPlace{.pod_uid = "5c6a0d3e-8f41", .pod = PodNames{"ml", "trainer-0", "main"}};
  set_processes(d, {told(process(1, "a", 1), named), process(2, "b", 1)});
  const Snapshot snapshot = machine({d});
  const auto all = process_rows(snapshot);
  for (const auto* wanted : {"5c6a", "trainer-0", "ml/trainer-0"}) {
    EXPECT_EQ(std::ranges::count_if(all, [&](const auto& row) { return ProcessFilter{.pod = wanted}.holds(row); }), 1)
        << wanted;
  }
  EXPECT_EQ(nothing_holds(all, {.pod = "trainer"}),
            "no process of pod 'trainer' uses a GPU: there is only ml/trainer-0");
  EXPECT_NE(processes_csv(all).find(",5c6a0d3e-8f41,ml,trainer-0,main,"), std::string::npos);
}

TEST(ProcessListTextTest, CsvIsALineARowAndHarmless) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts facts = mara_trains(20);
  facts.command_line = "sh -c \x1b[2J\nrm, \"x\"";
  set_processes(d, {told(process(20, "python3", 1), facts), process(30, "", 2)});
  const Snapshot snapshot = machine({d});
  EXPECT_EQ(processes_csv_header(),
            "gpu,uuid,gpu_name,simulated,recorded,pid,name,type,user,class,rule,memory_bytes,utilization_percent,"
            "cpu_percent,resident_bytes,started_at,container_runtime,container_id,pod_uid,pod_namespace,pod,"
            "pod_container,unit,slurm_job,executable,command_line\n");
  EXPECT_EQ(processes_csv(process_rows(snapshot)),
            "0,GPU-a,A,false,false,30,,compute,,,,2097152,,,,,,,,,,,,,,\n"
            "0,GPU-a,A,false,false,20,python3,compute,mara,ml_training,training-script,1048576,,118,6442450944,"
            "2026-05-28T18:26:40.000Z,,,,,,,session-4.scope,,/usr/bin/python3.11,\"sh -c ?[2J?rm, \"\"x\"\"\"\n");
}

TEST(ProcessListTextTest, JsonSaysWhereWhoAndOfWhatNothingIsKnown) {
  Snapshot snapshot = busy_machine();
  auto silent = device(2, facts("GPU-c", "C", "0000:03:00.0"), busy());
  silent.processes_reason = "they may not be read";
  snapshot.devices.push_back(silent);
  const auto json = nlohmann::ordered_json::parse(processes_json(snapshot, process_rows(snapshot), true));
  EXPECT_EQ(json["schema"], "gpukeeper.ps/1");
  EXPECT_EQ(json["host"], "gpu-box");
  ASSERT_EQ(json["processes"].size(), 4u);
  const auto& server = json["processes"][0];
  EXPECT_EQ(server["gpu"], "0");
  EXPECT_EQ(server["also_on"].dump(), "[\"1\"]");
  EXPECT_EQ(server["container"]["id"], "4f1c09aa37de4b5c");
  EXPECT_EQ(json["processes"][3]["missing"]["memory_bytes"], "not_permitted");
  EXPECT_EQ(json["unknown"].dump(), R"([{"gpu":2,"uuid":"GPU-c","reason":"they may not be read"}])");
}

}  // namespace
}  // namespace gpukeeper
