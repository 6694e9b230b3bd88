#include "reclaim/plan.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booked_machine.hpp"

namespace gpukeeper::reclaim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LeaseRequest on(std::size_t device, LeaseRequest request) {
  request.device = BookedMachine::name(device);
  request.require_device = true;
  return request;
}
LeaseRequest of(std::string service, std::uint64_t mib, std::size_t device) {
  return on(device, BookedMachine::request(std::move(service), mib));
}

// "move 3 GPU-0>GPU-1 100", as few words as a test can read.
std::vector<std::string> words(const Plan& plan) {
  std::vector<std::string> all;
  for (const PlanStep& step : plan.steps) {
    all.push_back(
        fmt::format("{} {} {}{}{} {}", to_string(step.kind),
                    step.kind == PlanStep::Kind::stop ? static_cast<std::uint64_t>(step.pid) : number(step.lease),
                    step.from, step.to.empty() ? "" : ">", step.to, step.bytes.value() >> 20));
  }
  return all;
}

Plan plan(const BookedMachine& machine, std::uint64_t mib, std::uint32_t devices = 1, std::string device = {}) {
  return plan_for(machine.ledger, {.min = from_mib(mib), .devices = devices, .device = std::move(device)});
}

TEST(PlanTest, WhatFitsNeedsNothing) {
  BookedMachine machine({8000, 4000});
  machine.book(of("a", 3000, 0));
  const Plan p = plan(machine, 5000);
  EXPECT_EQ(p.verdict, Plan::Verdict::fits);
  EXPECT_THAT(p.devices, ElementsAre("GPU-0"));
  EXPECT_THAT(p.steps, IsEmpty());
  EXPECT_TRUE(p.exact);
}

TEST(PlanTest, TheFewestBytesMove) {
  BookedMachine machine({8000, 8000});
  machine.book(of("a", 3000, 0));
  machine.book(of("b", 2000, 0));
  machine.book(of("c", 4000, 1));
  EXPECT_THAT(words(plan(machine, 5000)), ElementsAre("move 2 GPU-0>GPU-1 2000"));
}

TEST(PlanTest, OneMakesRoomForAnother) {
  // GPU 0 has 2000 free, GPU 1 2000, GPU 2 1000: the 3000 of GPU 0 fit nowhere until the 1000 of GPU 1 are on GPU 2.
  BookedMachine machine({5000, 5000, 5000});
  machine.book(of("large", 3000, 0));
  machine.book(of("small", 1000, 1));
  machine.book(of("stays", 2000, 1));
  machine.book(of("full", 4000, 2));
  EXPECT_THAT(words(plan(machine, 5000, 1, "GPU-0")),
              ElementsAre("move 2 GPU-1>GPU-2 1000", "move 1 GPU-0>GPU-1 3000"));
}

TEST(PlanTest, WhatIsOnItsWayBackIsWaitedForBeforeAnythingMoves) {
  BookedMachine machine({8000, 8000});
  const LeaseId over = machine.book(on(0, BookedMachine::of_process(7, 6000)));
  machine.book(of("b", 8000, 1));
  machine.use(0, 7, 6000);
  machine.look();
  machine.release(over);
  EXPECT_THAT(words(plan(machine, 5000)), ElementsAre("wait 1 GPU-0 6000"));
}

TEST(PlanTest, WhoUsesMoreThanItIsGuaranteedIsAskedFirst) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.limit.burst_ratio = 2;
  BookedMachine machine({8000, 8000}, settings);
  LeaseRequest burst = on(0, BookedMachine::of_process(7, 2000));
  burst.max = from_mib(6000);
  machine.book(burst);
  machine.use(0, 7, 6000);
  machine.look();
  EXPECT_THAT(words(plan(machine, 5000, 1, "GPU-0")), ElementsAre("ask 1 GPU-0 4000"));
}

TEST(PlanTest, TheLowestPriorityEndsWhereNothingCanMove) {
  BookedMachine machine({8000});
  LeaseRequest important = of("important", 3000, 0);
  important.priority = 5;
  machine.book(important);
  machine.book(of("usual", 4000, 0));
  EXPECT_THAT(words(plan(machine, 4500)), ElementsAre("end 2 GPU-0 4000"));
}

TEST(PlanTest, AProcessWithoutALeaseIsStoppedLastOfAll) {
  BookedMachine machine({8000});
  machine.book(of("a", 3000, 0));
  machine.use(0, 7, 4000, "python3");
  machine.look();
  EXPECT_THAT(words(plan(machine, 4000)), ElementsAre("end 1 GPU-0 3000"));
  EXPECT_THAT(words(plan(machine, 8000)), ElementsAre("end 1 GPU-0 3000", "stop 7 GPU-0 4000"));
}

TEST(PlanTest, NobodyIsToldToStopTheDisplayServer) {
  BookedMachine machine({8000});
  machine.use(0, 7, 4000, "/usr/lib/xorg/Xorg");
  machine.look();
  const Plan p = plan(machine, 6000);
  EXPECT_EQ(p.verdict, Plan::Verdict::never);
  EXPECT_THAT(p.reasons, ElementsAre("there memory is in use that belongs to no lease and to no process "
                                     "that the driver lists and that may be stopped"));
}

TEST(PlanTest, AMoveKeepsToTheServicesDevices) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services.push_back({.service = "a", .devices = {"GPU-0", "GPU-2"}});
  BookedMachine machine({8000, 8000, 4000}, settings);
  machine.book(of("a", 3000, 0));
  EXPECT_THAT(words(plan(machine, 8000, 1, "GPU-0")), ElementsAre("move 1 GPU-0>GPU-2 3000"));
}

TEST(PlanTest, AMoveKeepsServicesApartAndTogether) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services.push_back({.service = "a", .apart = {"rival"}});
  settings.services.push_back({.service = "b", .near = {"friend"}});
  BookedMachine machine({8000, 8000, 8000}, settings);
  machine.book(of("a", 1000, 0));
  machine.book(of("rival", 1000, 1));
  EXPECT_THAT(words(plan(machine, 8000, 1, "GPU-0")), ElementsAre("move 1 GPU-0>GPU-2 1000"));
  machine.book(of("friend", 500, 0));
  machine.book(of("b", 1000, 0));
  EXPECT_THAT(words(plan(machine, 6500, 1, "GPU-0")), ElementsAre("move 1 GPU-0>GPU-2 1000"))
      << "b stays near its friend";
}

TEST(PlanTest, NothingMovesToADeviceThatSomebodyHasAlone) {
  BookedMachine machine({8000, 8000});
  machine.book(of("a", 3000, 0));
  LeaseRequest alone = of("alone", 1000, 1);
  alone.exclusive = true;
  machine.book(alone);
  EXPECT_THAT(words(plan(machine, 8000, 1, "GPU-0")), ElementsAre("end 1 GPU-0 3000"));
}

TEST(PlanTest, WhoHasADeviceAloneGoesAltogether) {
  BookedMachine machine({8000, 8000});
  LeaseRequest alone = of("alone", 1000, 0);
  alone.exclusive = true;
  machine.book(alone);
  EXPECT_THAT(words(plan(machine, 2000, 1, "GPU-0")), ElementsAre("move 1 GPU-0>GPU-1 1000"));
}

TEST(PlanTest, ANameIsNotTakenTwiceOnADevice) {
  BookedMachine machine({8000, 8000});
  LeaseRequest named = of("a", 3000, 0);
  named.name = "model";
  machine.book(named);
  LeaseRequest same = of("b", 1000, 1);
  same.name = "model";
  machine.book(same);
  EXPECT_THAT(words(plan(machine, 8000, 1, "GPU-0")), ElementsAre("end 1 GPU-0 3000"));
}

TEST(PlanTest, WhatWasGrantedOnSeveralDevicesStaysWhereItIs) {
  BookedMachine machine({8000, 8000, 8000});
  LeaseRequest pair = BookedMachine::request("pair", 2000);
  pair.devices = 2;
  machine.book(pair);
  const Plan p = plan(machine, 8000, 2);
  EXPECT_THAT(words(p), ElementsAre("end 1 GPU-0 2000"));
  EXPECT_THAT(p.devices, ElementsAre("GPU-0", "GPU-2"));
}

TEST(PlanTest, SeveralDevicesAtOnce) {
  BookedMachine machine({8000, 8000, 8000});
  machine.book(of("a", 3000, 0));
  machine.book(of("b", 4000, 1));
  machine.book(of("c", 1000, 2));
  const Plan p = plan(machine, 6000, 2);
  EXPECT_THAT(words(p), ElementsAre("move 1 GPU-0>GPU-1 3000"));
  EXPECT_THAT(p.devices, ElementsAre("GPU-0", "GPU-2"));
}

TEST(PlanTest, ItSaysWhyNothingHelps) {
  BookedMachine machine({8000, 4000});
  machine.reality.devices[1].available = false;
  machine.reality.devices[1].unavailable_because = "it has left the bus";
  machine.look();
  EXPECT_THAT(plan(machine, 9000).reasons, ElementsAre("GPU 0 can be booked up to 8000 MiB, empty as well",
                                                       "GPU 1 is not available: it has left the bus"));
  EXPECT_THAT(plan(machine, 8000, 2).reasons, ElementsAre("GPU 1 is not available: it has left the bus",
                                                          "it is wanted on 2 GPUs at once, and 1 could give it"));
  EXPECT_THAT(plan(BookedMachine(std::vector<std::uint64_t>{}), 1).reasons, ElementsAre("there is no GPU"));
}

TEST(PlanTest, WhereOneGpuIsMeantTheOthersAreNotSpokenOf) {
  BookedMachine machine({8000, 4000});
  EXPECT_THAT(plan(machine, 5000, 1, "GPU-1").reasons,
              ElementsAre("GPU 1 can be booked up to 4000 MiB, empty as well"));
}

TEST(PlanTest, UnknownUseIsNoRoom) {
  BookedMachine machine({8000});
  machine.reality.devices[0].used = missing(Missing::not_supported);
  machine.look();
  EXPECT_THAT(plan(machine, 100).reasons, ElementsAre("GPU 0 does not say how much memory is in use"));
}

TEST(PlanTest, TooMuchToTryIsPlannedGreedilyAndSaid) {
  BookedMachine machine({64'000, 64'000});
  for (int i = 0; i < 200; ++i) machine.book(of("a", 300, 0));
  const Plan p = plan(machine, 10'000, 1, "GPU-0");
  EXPECT_EQ(p.verdict, Plan::Verdict::possible);
  EXPECT_FALSE(p.exact);
  EXPECT_EQ(p.sum(PlanStep::Kind::move), from_mib(6000));  // 4000 are free, and 20 × 300 more are needed
  EXPECT_EQ(p.steps.size(), 20u);
}

// What a plan says is done on the ledger itself, step by step; whether the wanted size is granted then.
bool comes_true(BookedMachine& machine, const Plan& plan, std::uint64_t mib) {
  for (const PlanStep& step : plan.steps) {
    const auto device = static_cast<std::size_t>(std::stoul(step.from.substr(4)));
    if (step.kind == PlanStep::Kind::stop) {
      machine.use(device, step.pid, 0);
      machine.look();
      continue;
    }
    const Lease lease = *machine.ledger.find(step.lease);
    const auto pid = std::get<ProcessOwner>(lease.owner).pid;
    machine.use(device, pid, step.kind == PlanStep::Kind::ask ? lease.min.value() >> 20 : 0);
    machine.look();
    if (step.kind == PlanStep::Kind::wait || step.kind == PlanStep::Kind::ask) continue;
    machine.release(step.lease);
    machine.look();
    if (step.kind == PlanStep::Kind::end) continue;
    LeaseRequest again = BookedMachine::of_process(pid, lease.min.value() >> 20);
    again.max = lease.max;
    again.device = step.to;
    again.require_device = true;
    again.exclusive = lease.exclusive;
    again.name = lease.name;
    if (!machine.ledger.reserve(again, machine.at())) return false;
    const auto to = static_cast<std::size_t>(std::stoul(step.to.substr(4)));
    machine.use(to, pid, step.bytes.value() >> 20);
    machine.look();
  }
  LeaseRequest wanted = BookedMachine::request("wanted", mib);
  wanted.device = plan.devices.front();
  wanted.require_device = true;
  return machine.ledger.reserve(wanted, machine.at()).has_value();
}

// A machine out of a seed, the same each time.
BookedMachine random_machine(unsigned seed) {
  std::mt19937 random(seed);
  const auto upto = [&](unsigned most) { return static_cast<unsigned>(random() % (most + 1)); };
  const unsigned devices = 1 + upto(2);
  BookedMachine machine(std::vector<std::uint64_t>(devices, 1000));
  for (unsigned i = 0, leases = upto(5); i < leases; ++i) {
    const unsigned mib = 100 * (1 + upto(5));
    LeaseRequest r = BookedMachine::of_process(10 + i, mib);
    r.priority = static_cast<std::int32_t>(upto(2));
    if (upto(3) == 0) r.max = from_mib(mib + 100);
    if (upto(5) == 0) r.exclusive = true;
    if (upto(3) == 0) r.name = "model";
    r.device = BookedMachine::name(upto(devices - 1));
    const auto booking = machine.ledger.reserve(r, machine.at());
    if (!booking) continue;
    const auto device = static_cast<std::size_t>(std::stoul(machine.device_of(booking->id).substr(4)));
    const unsigned used = upto(3);
    if (used > 0) machine.use(device, 10 + i, used == 3 ? r.max.value_or(r.min).value() >> 20 : mib);
    machine.look();
    if (upto(5) == 0 && used > 0) machine.release(booking->id);
  }
  for (unsigned i = 0, processes = upto(2); i < processes; ++i) {
    machine.use(upto(devices - 1), 100 + i, 100 * (1 + upto(2)));
  }
  machine.look();
  return machine;
}

TEST(PlanTest, WhatItSaysComesTrueOnTheLedger) {
  int possible = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const std::uint64_t mib = 100 * (1 + seed % 10);
    BookedMachine machine = random_machine(seed);
    const Plan p = plan(machine, mib);
    if (p.verdict == Plan::Verdict::never) continue;
    EXPECT_TRUE(p.exact) << "seed " << seed;
    possible += p.verdict == Plan::Verdict::possible ? 1 : 0;
    EXPECT_TRUE(comes_true(machine, p, mib)) << "seed " << seed << ": " << testing::PrintToString(words(p));
  }
  EXPECT_GT(possible, 500);
}

// Every single step of harm that a plan has is needed: without it, it does not come true. And what is never possible is
// refused by a machine from which everybody who can go has gone.
TEST(PlanTest, NoStepIsNeedless) {
  for (unsigned seed = 0; seed < 1500; ++seed) {
    const std::uint64_t mib = 100 * (1 + seed % 10);
    const Plan p = plan(random_machine(seed), mib);
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
      Plan less = p;
      less.steps.erase(less.steps.begin() + static_cast<std::ptrdiff_t>(i));
      BookedMachine machine = random_machine(seed);
      EXPECT_FALSE(comes_true(machine, less, mib)) << "seed " << seed << " without " << words(p)[i];
    }
  }
}

// The search finds nothing dearer than what a smaller budget found, and the greedy plan comes true as well.
TEST(PlanTest, AGreedyPlanComesTrueAndIsNeverCheaper) {
  const auto harm = [](const Plan& p) {
    return std::tuple(p.sum(PlanStep::Kind::stop), p.sum(PlanStep::Kind::end) > Bytes(0));
  };
  for (unsigned seed = 0; seed < 1500; ++seed) {
    const std::uint64_t mib = 100 * (1 + seed % 10);
    BookedMachine machine = random_machine(seed);
    const Plan best = plan(machine, mib);
    const Plan greedy = plan_for(machine.ledger, {.min = from_mib(mib), .devices = 1, .device = {}},
                                 {.items = 24, .nodes = 0, .groups = 256});
    if (greedy.verdict == Plan::Verdict::never) continue;
    EXPECT_NE(best.verdict, Plan::Verdict::never);
    EXPECT_LE(harm(best), harm(greedy)) << "seed " << seed;
    EXPECT_TRUE(comes_true(machine, greedy, mib)) << "seed " << seed << testing::PrintToString(words(greedy));
  }
}

}  // namespace
}  // namespace gpukeeper::reclaim
