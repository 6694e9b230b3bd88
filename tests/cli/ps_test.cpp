#include "cli/ps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "cli/ps_table.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using Event = Interrupts::Event;
using Form = PsOptions::Form;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

GpuProcess served(std::int64_t pid, std::uint64_t mib) {
  ProcessFacts facts;
  facts.user = "svc";
  facts.command_line = "/opt/server/bin/server --port 8000";
  facts.started = kThen - 30h;
  facts.cpu = Percent(7);
  facts.resident = from_mib(900);
  facts.place = ProcessPlace{.container = Container{"docker", "4f1c09aa37de4b5c"}};
  facts.classification.kind = ProcessClass::ml_inference;
  return told(process(pid, "server", mib), facts);
}

/// A training and a server on the first GPU, the server on the second too.
Snapshot two_busy() {
  auto first = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  auto training = told(process(20, "python3", 12'000), mara_trains(20));
  training.utilization = Percent(73);
  set_processes(first, {served(10, 50'000), training});
  auto second = device(1, facts("GPU-b", "B", "0000:02:00.0"), busy());
  set_processes(second, {served(10, 62'000)});
  return machine({first, second});
}

std::string page(const Snapshot& snapshot, const PsOptions& options = {}, std::size_t width = 80,
                 std::size_t height = 0) {
  RenderOptions render;
  render.width = width;
  render.height = height;
  render.now = kThen;
  return render_ps(snapshot, {}, options, render);
}

TEST(PsTableTest, ALineForEachProcessOnEachGpu) {
  EXPECT_EQ(
      page(two_busy(), {}, 140),
      "gpukeeper · gpu-box · 2 processes on 2 GPUs                                                                 "
      "             2026-05-28 20:26:40\n"
      "\n"
      "GPU  ALSO  PID  USER  TYPE     CLASS          GPU MEM  GPU %  CPU %      RSS  TIME  WHERE                "
      "COMMAND\n"
      "0    1      10  svc   compute  ML inference  48.8 GiB      -     7%  900 MiB  30 h  docker 4f1c09aa37de  "
      "server --port 8000\n"
      "0           20  mara  compute  ML training   11.7 GiB    73%   118%  6.0 GiB   2 h  session-4.scope      "
      "python3 train.py --epochs 90\n"
      "1    0      10  svc   compute  ML inference  60.5 GiB      -     7%  900 MiB  30 h  docker 4f1c09aa37de  "
      "server --port 8000\n");
}

TEST(PsTableTest, ColumnsGiveWayOnANarrowPage) {
  for (const std::size_t width : {40u, 60u, 80u, 100u, 200u}) {
    const std::string text = page(two_busy(), {}, width);
    for (const auto line : lines(text)) EXPECT_LE(display_width(line), width) << line;
  }
  EXPECT_THAT(page(two_busy(), {}, 60), HasSubstr("python3"));
}

TEST(PsTableTest, WideShowsCommandLinesInFull) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts facts = mara_trains(20);
  facts.command_line = "/usr/bin/python3 " + std::string(300, 'x');
  set_processes(d, {told(process(20, "python3", 1), facts)});
  EXPECT_THAT(page(machine({d}), {.wide = true}), HasSubstr("/usr/bin/python3 " + std::string(300, 'x') + "\n"));
  EXPECT_THAT(page(machine({d})), Not(HasSubstr("/usr/bin")));
}

TEST(PsTableTest, NamesAreHarmless) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts facts = mara_trains(20);
  facts.user = "m\x1b[31m";
  facts.command_line = "x\n\x1b[2J\xff y";
  facts.place = ProcessPlace{.unit = "u\r\n.service"};
  set_processes(d, {told(process(20, "python3", 1), facts)});
  const std::string text = page(machine({d}), {}, 140);
  EXPECT_THAT(text, HasSubstr("m?[31m"));
  EXPECT_THAT(text, HasSubstr("u??.service"));
  EXPECT_THAT(text, HasSubstr("x??[2J? y"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(PsTableTest, ASuspectedMinerStandsOutInColourAndInWords) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts miner;
  miner.classification.kind = ProcessClass::mining;
  set_processes(d, {told(process(66, "xmrig", 1), miner)});
  RenderOptions render;
  render.colour = true;
  EXPECT_THAT(render_ps(machine({d}), {}, {}, render), HasSubstr("\x1b[1;31mminer?"));
}

TEST(PsTableTest, SimulatedAndRecordedProcessesSaySo) {
  EXPECT_THAT(page(simulated_gpu()), HasSubstr("simulated"));
}

TEST(PsTableTest, AProcessInAPartitionStandsWithItsIndex) {
  EXPECT_THAT(page(split_gpu()), HasSubstr("0:1"));
}

TEST(PsTableTest, MemoryThatNobodyHoldsIsTold) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  set_processes(d, {process(1, "a", 50'000)});
  EXPECT_THAT(page(machine({d}), {}, 200),
              EndsWith("GPU 0: 11.7 GiB of the 60.5 GiB in use belong to no process that can be seen: to the driver "
                       "itself, or to processes of another container\n"));
  EXPECT_THAT(page(machine({d}), {.filter = {.user = "a"}}, 200), Not(HasSubstr("belong to no process"))) << "filtered";
}

TEST(PsTableTest, EmptyPagesSayWhy) {
  Snapshot idle = machine({device(0, facts("GPU-a", "A", "0000:01:00.0"), busy())});
  idle.devices[0].reading.memory_used = Bytes(0);
  EXPECT_THAT(page(idle), EndsWith("\n\nNo process uses a GPU.\n"));

  Snapshot silent = idle;
  silent.devices[0].processes_reason = "the processes of others may not be read; run as root, or grant CAP_SYS_PTRACE";
  EXPECT_THAT(page(silent, {}, 120),
              EndsWith("\n\nWhich processes use a GPU is not known:\n\n"
                       "GPU 0: the processes of others may not be read; run as root, or grant CAP_SYS_PTRACE\n"));

  Snapshot some = four_gpus();
  for (DeviceSnapshot& d : some.devices) {
    set_processes(d, {});
    d.reading.memory_used = Bytes(0);
  }
  EXPECT_THAT(page(some), EndsWith("\n\nNo process uses a GPU, as far as can be seen:\n\n"
                                   "GPU 2: asleep (runtime-suspended); it is not woken to be looked at\n"
                                   "GPU 3: driver did not answer\n"));

  EXPECT_THAT(page(two_busy(), {.filter = {.user = "bob"}}),
              EndsWith("\n\nNo process of user 'bob' uses a GPU: there are mara and svc.\n"));
  EXPECT_THAT(page(machine({})), StartsWith("No GPU was found."));
}

TEST(PsTableTest, WhatThisUserMayNotSeeIsToldWithItsRemedy) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  ProcessFacts hidden;
  hidden.user = "root";
  hidden.command_line = missing(Missing::not_permitted);
  set_processes(d, {told(process(5, "server", 62'000), hidden)});
  EXPECT_THAT(page(machine({d}), {}, 120),
              EndsWith("\n\nOf 1 process this user may not see everything: run as root, or grant CAP_SYS_PTRACE.\n"));
}

TEST(PsTableTest, ALowScreenKeepsItsRowsAndSaysHowManyAreLeftOut) {
  auto d = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  std::vector<GpuProcess> many;
  for (int pid = 1; pid <= 50; ++pid) many.push_back(process(pid, "p", 1'000));
  set_processes(d, many);
  EXPECT_EQ(lines(page(machine({d}), {}, 120, 20)).size(), 20u);
  EXPECT_THAT(page(machine({d}), {}, 120, 20), HasSubstr("  … 37 more\n"));
  EXPECT_THAT(page(machine({d}), {}, 120, 20), HasSubstr("belong to no process"));
  EXPECT_LE(lines(page(machine({d}), {}, 120, 6)).size(), 6u);
}

TEST(PsTest, SortsAndFilters) {
  Captured world({two_busy()});
  ASSERT_TRUE(ps({.form = Form::csv, .filter = {.user = "svc"}, .order = ProcessOrder::memory}, world.context));
  const auto rows = lines(world.out.text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(std::string(rows[1]), StartsWith("1,GPU-b"));
  EXPECT_THAT(std::string(rows[2]), StartsWith("0,GPU-a"));
}

TEST(PsTest, OneDeviceAlone) {
  Captured world({two_busy()});
  ASSERT_TRUE(ps({.form = Form::csv, .devices = {"1"}}, world.context));
  EXPECT_EQ(lines(world.out.text).size(), 2u);
  Captured none({two_busy()});
  EXPECT_EQ(ps({.devices = {"7"}}, none.context).error().message,
            "there is no GPU '7': there are the GPUs 0 to 1; gpukeeper devices lists their UUIDs and PCI addresses");
}

TEST(PsTest, TakesASecondLookWhenAUtilizationNeedsTwoAndAPersonWaits) {
  Snapshot first = two_busy();
  auto fresh = process(20, "p", 1);
  fresh.utilization = missing(Missing::not_yet_read);
  set_processes(first.devices[0], {fresh});
  Captured world({first, two_busy()});
  ASSERT_TRUE(ps({}, world.context));
  EXPECT_EQ(world.ticks, 2u);
  Captured script({first, two_busy()});
  ASSERT_TRUE(ps({.form = Form::json}, script.context));
  EXPECT_EQ(script.ticks, 1u);
}

TEST(PsTest, WatchDrawsPagesOnATerminalAndAppendsCsvElsewhere) {
  Captured world({two_busy()}, {Event::due});
  world.screen.terminal = true;
  world.screen.height = 24;
  ASSERT_TRUE(ps({.watch = 1s}, world.context));
  EXPECT_EQ(world.ticks, 2u);
  EXPECT_THAT(world.out.text, StartsWith("\x1b[?1049h"));
  Captured appended({two_busy()}, {Event::due});
  ASSERT_TRUE(ps({.form = Form::csv, .watch = 1s}, appended.context));
  EXPECT_EQ(lines(appended.out.text).size(), 1u + 2 * 3);
}

TEST(PsTest, AFullDiskIsAFailure) {
  Captured full({two_busy()});
  full.out.full = true;
  EXPECT_EQ(ps({}, full.context).error().message, "write to standard output: No space left on device");
}

}  // namespace
}  // namespace gpukeeper::cli
