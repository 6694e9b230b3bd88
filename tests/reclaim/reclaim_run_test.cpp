#include "reclaim/reclaim_run.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booked_machine.hpp"
#include "reclaim/idle_watch.hpp"

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = ReclaimAction::Kind;

// A machine, its ledger, and whoever answers for the world: what an action brings about is said by the test.
class Rehearsal {
 public:
  explicit Rehearsal(std::vector<std::uint64_t> mib) : machine(std::move(mib)) {
    facts.is_gone = [this](const ProcessOwner& owner) { return dead.contains(owner.pid); };
    facts.idle_for = [this](const SeenProcess& process) -> std::optional<std::chrono::nanoseconds> {
      return idle.contains(process.pid) ? std::optional(idle.at(process.pid)) : std::nullopt;
    };
    does = [](const ReclaimAction&) { return HolderReply{}; };
  }

  // A lease of a process that uses so much.
  LeaseId holds(std::int64_t pid, std::uint64_t mib, std::string service = "training", std::int32_t priority = 0,
                std::size_t device = 0) {
    LeaseRequest request = BookedMachine::of_process(pid, mib);
    request.service = std::move(service);
    request.priority = priority;
    request.device = BookedMachine::name(device);
    const LeaseId id = machine.book(request);
    machine.use(device, pid, mib);
    machine.look();
    return id;
  }
  LeaseId holder(LeaseId id, HolderKind kind = HolderKind::webhook) {
    facts.holders[id].kind = kind;
    return id;
  }

  Sight sight() const {
    Sight s;
    s.taken = s.booked = machine.at().now;
    s.leases = machine.ledger.leases();
    for (const DeviceReality& device : machine.reality.devices) {
      SeenDevice& d = s.devices.emplace_back();
      d.id = device.id;
      d.index = device.index;
      d.total = device.total;
      d.used = device.used;
      d.available = machine.ledger.device(device.id)->available();
      d.lists_processes = lists_processes;
      d.nvidia = true;
      d.ours = ours;
      if (!lists_processes) continue;
      for (const ObservedProcess& process : *device.processes) {
        SeenProcess& p = s.processes.emplace_back();
        p.device = device.id;
        p.pid = process.pid;
        p.start_ticks = process.start_ticks;
        p.name = process.name;
        p.memory = process.memory;
        p.load = Percent(0);
        p.compute = process.compute;
        p.mps = mps.contains(process.pid);
        for (const Lease& lease : s.leases) {
          for (const ProcessOwner& worker : machine.ledger.processes_of(lease.id)) {
            if (worker.pid == process.pid && lease.device == device.id) p.lease = lease.id;
          }
        }
        for (const ForeignProcess& foreign : machine.ledger.device(device.id)->facts().foreign) {
          p.foreign = p.foreign || foreign.pid == process.pid;
        }
      }
    }
    return s;
  }

  ReclaimReport run(ReclaimOrder order = {}) {
    ReclaimRun run(1, std::move(order), settings, facts, machine.at());
    for (int second = 0; second < 600 && !run.done(); ++second) {
      for (const ReclaimAction& action : run.advance(sight(), machine.at().now)) {
        actions.push_back(fmt::format(
            "{} {}", word(action.kind),
            action.lease == LeaseId{} ? static_cast<std::uint64_t>(action.process.pid) : number(action.lease)));
        asked.push_back(action);
        if (!silent) run.receipt(action.number, does(action), machine.at().now);
      }
      machine.wait(1s);
    }
    EXPECT_TRUE(run.done());
    return run.report();
  }

  static std::string_view word(Kind kind) {
    return kind == Kind::reap ? "reap" : kind == Kind::ask ? "ask" : kind == Kind::suspend ? "suspend" : "terminate";
  }

  BookedMachine machine;
  ReclaimSettings settings;
  ReclaimFacts facts;
  std::function<Result<HolderReply>(const ReclaimAction&)> does;
  std::map<std::int64_t, bool> dead;
  std::map<std::int64_t, bool> mps;
  std::map<std::int64_t, std::chrono::nanoseconds> idle;
  bool silent = false;
  bool lists_processes = true;
  bool ours = true;
  std::vector<std::string> actions;
  std::vector<ReclaimAction> asked;
};

const StepReport& step(const ReclaimReport& report, Stage stage) {
  for (const StepReport& each : report.steps) {
    if (each.stage == stage) return each;
  }
  throw std::logic_error("no such step");
}

ReclaimOrder everybody() {
  ReclaimOrder order;
  order.even_below = true;
  return order;
}

TEST(ReclaimRunTest, AnEmptyMachineHasNothingToGive) {
  Rehearsal world({8000});
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, IsEmpty());
  EXPECT_THAT(report.steps, SizeIs(5));
  EXPECT_EQ(step(report, Stage::reap).skipped, "no lease belongs to a process that is gone, and none has expired");
  EXPECT_EQ(step(report, Stage::ask).skipped, "no lease has a registered holder that could be asked");
  EXPECT_EQ(step(report, Stage::suspend).skipped, "reclaim.suspend_services names no service, so none is suspended");
  EXPECT_EQ(step(report, Stage::terminate).skipped,
            "reclaim.terminate_services and reclaim.terminate_idle name nobody, so nobody is terminated");
  EXPECT_EQ(report.returned(), Bytes(0));
}

TEST(ReclaimRunTest, LeasesOfTheDeadAreReapedAndWhatTheDriverShowsIsSaid) {
  Rehearsal world({8000});
  const LeaseId id = world.holds(7, 3000);
  world.dead[7] = true;
  world.does = [&](const ReclaimAction& action) {
    EXPECT_EQ(action.reason, EndReason::owner_died);
    world.machine.use(0, 7, 0);
    static_cast<void>(world.machine.ledger.release(action.lease, std::nullopt, world.machine.at(), action.reason));
    return HolderReply{};
  };
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, ElementsAre("reap " + std::to_string(number(id))));
  const Deed& deed = step(report, Stage::reap).deeds.at(0);
  EXPECT_EQ(deed.what, "reaped: its process 7 is gone");
  EXPECT_EQ(deed.unbooked, 3000_MiB);
  EXPECT_EQ(deed.before, 3000_MiB);
  EXPECT_EQ(deed.returned(), 3000_MiB);
}

TEST(ReclaimRunTest, AHolderIsCreditedWithWhatTheDriverShowsNotWithWhatItPromises) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.does = [&](const ReclaimAction& action) {
    EXPECT_EQ(action.request.wanted, 200_MiB);  // 7000 of 8000, and 85 % are 6800
    world.machine.use(0, 7, 6500);
    HolderReply reply;
    reply.promised = 4000_MiB;
    return reply;
  };
  const ReclaimReport report = world.run();
  const Deed& deed = step(report, Stage::ask).deeds.at(0);
  EXPECT_EQ(deed.what, "asked (webhook)");
  EXPECT_EQ(deed.promised, 4000_MiB);
  EXPECT_EQ(deed.returned(), 500_MiB);
  EXPECT_EQ(deed.note, "4000 MiB were promised, and after 10 s the driver shows 500 MiB returned");
  EXPECT_EQ(report.returned(), 500_MiB);
  EXPECT_EQ(report.devices.at(0).wanted, 200_MiB);
  EXPECT_EQ(report.devices.at(0).still_wanted, Bytes(0));
}

TEST(ReclaimRunTest, APromiseWithoutADropIsNothing) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.does = [](const ReclaimAction&) {
    HolderReply reply;
    reply.note = "1 model was unloaded";
    return reply;
  };
  const ReclaimReport report = world.run();
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).returned(), Bytes(0));
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).note, "1 model was unloaded; after 10 s the driver shows no drop");
}

TEST(ReclaimRunTest, WhatADriverDoesNotSayIsUnknownAndNotZero) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.machine.reality.devices[0].processes.reset();
  world.machine.look();
  world.lists_processes = false;
  const ReclaimReport report = world.run();
  EXPECT_FALSE(step(report, Stage::ask).deeds.at(0).returned());
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).note, "the driver does not say what it holds");
}

TEST(ReclaimRunTest, AtTheThresholdNobodyIsAskedAboveItSomebodyIs) {
  Rehearsal world({8000});
  const LeaseId id = world.holder(world.holds(7, 6800));  // 85 % exactly
  EXPECT_EQ(step(world.run(), Stage::ask).skipped, "no GPU is filled above 85 %, so nobody was asked");
  EXPECT_THAT(world.actions, IsEmpty());
  world.machine.use(0, 7, 6801);
  world.machine.look();
  static_cast<void>(world.run());
  EXPECT_THAT(world.actions, ElementsAre("ask " + std::to_string(number(id))));
}

TEST(ReclaimRunTest, WhoMattersIsNotAskedWhenOthersGiveEnough) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 3000, "important", 5));
  const LeaseId usual = world.holder(world.holds(8, 4000, "usual", 0));
  world.does = [&](const ReclaimAction& action) {
    world.machine.use(0, action.request.process->pid, 100);
    return HolderReply{};
  };
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, ElementsAre("ask " + std::to_string(number(usual))));
  EXPECT_THAT(step(report, Stage::ask).deeds, SizeIs(1));
}

TEST(ReclaimRunTest, ANamedServiceIsAskedBelowTheThresholdToo) {
  Rehearsal world({8000});
  const LeaseId one = world.holder(world.holds(7, 1000, "embedding_service"));
  world.holder(world.holds(8, 1000, "other"));
  ReclaimOrder order = everybody();
  order.service = "embedding-service";
  order.scrub = true;
  static_cast<void>(world.run(order));
  EXPECT_THAT(world.actions, ElementsAre("ask " + std::to_string(number(one))));
  EXPECT_EQ(world.asked.at(0).request.wanted, std::nullopt);
  EXPECT_TRUE(world.asked.at(0).request.scrub);
}

TEST(ReclaimRunTest, WhereOneLeaseIsMeantNobodyElseIsAsked) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 1000));
  const LeaseId meant = world.holder(world.holds(8, 1000));
  ReclaimOrder order = everybody();
  order.lease = meant;
  static_cast<void>(world.run(order));
  EXPECT_THAT(world.actions, ElementsAre("ask " + std::to_string(number(meant))));
}

TEST(ReclaimRunTest, AHolderThatRefusesIsReportedInItsWords) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.does = [](const ReclaimAction&) -> Result<HolderReply> {
    return fail(Errc::unavailable, "POST http://127.0.0.1:1: connection refused");
  };
  const ReclaimReport report = world.run();
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).problem, "POST http://127.0.0.1:1: connection refused");
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).returned(), Bytes(0));
}

TEST(ReclaimRunTest, AHolderThatNeverAnswersHoldsUpNobodyForEver) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.silent = true;
  const ReclaimReport report = world.run();
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).problem, "there was no answer within 12 s");
}

TEST(ReclaimRunTest, ARunEndsAtItsDeadlineWithWhatItHas) {
  Rehearsal world({8000});
  world.holder(world.holds(7, 7000));
  world.silent = true;
  ReclaimOrder order;
  order.deadline = 5s;
  const ReclaimReport report = world.run(order);
  EXPECT_EQ(report.problem, "it was not done within 5 s");
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).problem, "there was no answer before the end");
}

TEST(ReclaimRunTest, WhatWasSeenBeforeTheStartIsNoMeasure) {
  Rehearsal world({8000});
  ReclaimRun run(1, {}, world.settings, world.facts, {world.machine.at().now + 5s, {}});
  EXPECT_THAT(run.advance(world.sight(), world.machine.at().now + 6s), IsEmpty());
  EXPECT_THAT(run.report().devices, IsEmpty());
}

TEST(ReclaimRunTest, IdleAndUnregisteredHoldersAreNamed) {
  Rehearsal world({8000});
  const LeaseId id = world.holds(7, 3000);
  world.machine.use(0, 9, 4500, "/usr/local/bin/ollama");
  world.machine.look();
  world.idle[9] = 1200s;
  world.idle[7] = 700s;
  const ReclaimReport report = world.run();
  ASSERT_THAT(report.advice, SizeIs(2));
  EXPECT_EQ(report.advice[0].pid, 9);
  EXPECT_EQ(report.advice[0].memory, 4500_MiB);
  EXPECT_EQ(report.advice[0].idle, 1200s);
  EXPECT_EQ(report.advice[0].recommendation,
            "Unload its models with 'ollama stop MODEL', set OLLAMA_KEEP_ALIVE, or book its memory and register it as "
            "a holder of kind ollama.");
  EXPECT_EQ(report.advice[1].lease, id);
  EXPECT_EQ(report.advice[1].recommendation,
            "Register a holder for lease 1, so that it can be asked; or release the lease.");
}

// Harm.

TEST(ReclaimRunTest, NobodyIsSuspendedOrTerminatedWhereNobodyIsNamed) {
  Rehearsal world({8000});
  world.holds(7, 7900);
  world.machine.use(0, 9, 100, "miner");
  world.machine.look();
  static_cast<void>(world.run());
  EXPECT_THAT(world.actions, IsEmpty());
}

TEST(ReclaimRunTest, NamedServicesAreSuspendedOneByOneUntilItIsEnough) {
  Rehearsal world({8000});
  world.settings.suspend_services = {"batch_*"};
  const LeaseId first = world.holds(7, 3000, "batch-a", 0);
  world.holds(8, 3000, "batch-b", 1);
  world.holds(9, 1900, "online", -5);
  world.does = [&](const ReclaimAction& action) {
    EXPECT_EQ(action.process, (ProcessOwner{7, 70}));
    world.machine.use(0, action.process.pid, 0);
    static_cast<void>(world.machine.ledger.suspend(action.lease, world.machine.at()));
    return HolderReply{};
  };
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, ElementsAre("suspend " + std::to_string(number(first))));
  EXPECT_EQ(step(report, Stage::suspend).returned(), 3000_MiB);
}

TEST(ReclaimRunTest, WithoutAGoalNobodyIsHarmed) {
  Rehearsal world({8000});
  world.settings.suspend_services = world.settings.terminate_services = world.settings.terminate_idle = {"*"};
  world.holds(7, 3000);
  world.machine.use(0, 9, 500, "python3");
  world.machine.look();
  world.idle[9] = 3600s;
  const ReclaimReport report = world.run(everybody());
  EXPECT_THAT(world.actions, IsEmpty());
  EXPECT_EQ(step(report, Stage::terminate).skipped, "no device wants any more back");
}

TEST(ReclaimRunTest, OneProcessOfSeveralIsNotSuspended) {
  Rehearsal world({8000});
  world.settings.suspend_services = {"*"};
  world.holds(7, 4000);
  world.machine.use(0, 8, 3000);
  world.machine.process(0, 8).forebears = {7};
  world.machine.look();
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, IsEmpty());
  EXPECT_EQ(step(report, Stage::suspend).deeds.at(0).problem,
            "2 processes work under it, and only one alone can be suspended");
}

TEST(ReclaimRunTest, TheIdleWithoutALeaseAreTerminatedBeforeLeases) {
  Rehearsal world({8000});
  world.settings.terminate_idle = {"python*"};
  world.settings.terminate_services = {"*"};
  const LeaseId id = world.holds(7, 4000);
  world.machine.use(0, 9, 1500, "/usr/bin/python3");
  world.machine.use(0, 10, 1500, "python3");
  world.machine.look();
  world.idle[9] = 700s;
  world.idle[10] = 599s;
  world.mps[9] = true;
  world.does = [&](const ReclaimAction& action) {
    if (action.process.pid == 9) {
      EXPECT_TRUE(action.mps);
    }
    world.machine.use(0, action.process.pid, 0);
    return HolderReply{};
  };
  world.machine.use(0, 11, 900, "other");
  world.machine.look();
  static_cast<void>(id);
  const ReclaimReport report = world.run();
  EXPECT_THAT(world.actions, ElementsAre("terminate 9"));
  EXPECT_EQ(step(report, Stage::terminate).deeds.at(0).what, "terminated: idle for 700 s");
  EXPECT_EQ(step(report, Stage::terminate).returned(), 1500_MiB);
}

TEST(ReclaimRunTest, WhoMustRunIsNeverTouched) {
  const auto problem = [](const std::function<void(Rehearsal&)>& prepare) {
    Rehearsal world({8000});
    world.settings.terminate_idle = {"*"};
    world.machine.use(0, 9, 7900, "python3");
    world.idle[9] = 3600s;
    prepare(world);
    world.machine.look();
    const ReclaimReport report = world.run();
    EXPECT_THAT(world.actions, IsEmpty());
    return step(report, Stage::terminate).deeds.at(0).problem;
  };
  EXPECT_EQ(problem([](Rehearsal& w) { w.machine.process(0, 9).name = "/usr/lib/xorg/Xorg"; }), "Xorg must run");
  EXPECT_EQ(problem([](Rehearsal& w) { w.machine.process(0, 9).name = "nvidia-cuda-mps-server"; }),
            "nvidia-cuda-mps-server must run");
  EXPECT_EQ(problem([](Rehearsal& w) { w.machine.process(0, 9).compute = false; }), "it draws the screen");
  EXPECT_EQ(problem([](Rehearsal& w) { w.facts.own_pids = {9}; }), "gpukeeper itself depends on it");
  EXPECT_EQ(problem([](Rehearsal& w) { w.machine.process(0, 9).start_ticks = 0; }),
            "it is not known when it began, so it might be another one by now");
  EXPECT_EQ(problem([](Rehearsal& w) { w.ours = false; }),
            "the GPU is not of this machine (simulated or recorded), nor is its process");
}

TEST(ReclaimRunTest, RoomIsMadeInThePlansOrderByItsHolders) {
  Rehearsal world({8000, 8000});
  const LeaseId moves = world.holder(world.holds(7, 3000, "a", 0, 0));
  world.holds(8, 4000, "b", 0, 1);
  ReclaimOrder order;
  order.room = PlanRequest{.min = 8000_MiB, .devices = 1, .device = "GPU-0"};
  order.plan = plan_for(world.machine.ledger, *order.room);
  world.does = [&](const ReclaimAction& action) {
    EXPECT_EQ(action.request.move_to, "GPU-1");
    world.machine.use(0, 7, 0);
    world.machine.look();
    static_cast<void>(world.machine.ledger.release(action.lease, std::nullopt, world.machine.at()));
    return HolderReply{};
  };
  const ReclaimReport report = world.run(order);
  EXPECT_THAT(world.actions, ElementsAre("ask " + std::to_string(number(moves))));
  EXPECT_EQ(report.devices.at(0).wanted, 3000_MiB);
  EXPECT_EQ(report.devices.at(0).still_wanted, Bytes(0));
}

TEST(ReclaimRunTest, WhoWouldHaveToMoveAndHasNoHolderIsNamed) {
  Rehearsal world({8000, 8000});
  world.holds(7, 3000, "a", 0, 0);
  ReclaimOrder order;
  order.room = PlanRequest{.min = 8000_MiB, .devices = 1, .device = "GPU-0"};
  order.plan = plan_for(world.machine.ledger, *order.room);
  const ReclaimReport report = world.run(order);
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).what, "not moved");
  EXPECT_EQ(step(report, Stage::ask).deeds.at(0).problem, "nobody is registered as its holder, so nobody can be asked");
}

TEST(IdleWatchTest, IdleIsCountedFromTheLastLoadSeen) {
  IdleWatch watch;
  Sight sight;
  sight.processes.push_back({.device = "GPU-0", .pid = 7, .start_ticks = 70, .load = Percent(30)});
  sight.taken = MonotonicTime(100s);
  EXPECT_EQ(watch.idle_for(sight.processes[0]), std::nullopt);
  watch.look(sight);
  sight.processes[0].load = Percent(0);
  sight.taken = MonotonicTime(160s);
  watch.look(sight);
  EXPECT_EQ(watch.idle_for(sight.processes[0]), 60s);
  sight.processes[0].start_ticks = 71;  // another process got its pid
  sight.taken = MonotonicTime(170s);
  watch.look(sight);
  EXPECT_EQ(watch.idle_for(sight.processes[0]), 0s);
  sight.processes[0].load = missing(Missing::not_supported);
  watch.look(sight);
  EXPECT_EQ(watch.idle_for(sight.processes[0]), std::nullopt);
}

}  // namespace
}  // namespace gpukeeper::reclaim
