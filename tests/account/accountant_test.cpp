#include "account/accountant.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::account {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;

// kThen is 20:26:40: slots of ten minutes begin at 20:20.
const WallTime kSlot = kThen - 400s;

Snapshot at(std::chrono::milliseconds time, std::vector<DeviceSnapshot> devices) {
  Snapshot snapshot = machine(std::move(devices));
  snapshot.taken_at = kThen + time;
  snapshot.monotonic = MonotonicTime(1h + time);
  return snapshot;
}

GpuProcess busy_process(std::int64_t pid, const std::string& user, double percent, std::uint64_t mib) {
  GpuProcess p = process(pid, "python3", mib);
  p.utilization = Percent(percent);
  ProcessFacts facts;
  facts.user = user;
  return told(p, facts);
}

DeviceSnapshot gpu(double watts, double percent, std::vector<GpuProcess> processes) {
  Reading reading = busy();
  reading.power = Watts(watts);
  reading.utilization = Percent(percent);
  auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), reading);
  set_processes(d, std::move(processes));
  return d;
}

// The sums over all slots.
struct Sums {
  DeviceUse device;
  std::map<std::string, Usage> users;
  Division division;
};

Sums sums(const Account& account) {
  Sums result;
  for (const auto& slot : account.slots) {
    for (const auto& [place, use] : slot->devices) result.device += use;
    for (const auto& [places, usage] : slot->parties) result.users[account.parties[places.second]->user] += usage;
    result.division += slot->division;
  }
  return result;
}

TEST(AccountantTest, AReadingSpeaksUntilTheNextOne) {
  Accountant accountant;
  accountant.add(at(0s, {gpu(300, 50, {busy_process(1, "mara", 50, 4'096)})}));
  accountant.add(at(10s, {gpu(100, 0, {})}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.device.watched_seconds, 10);
  EXPECT_DOUBLE_EQ(all.device.joules, 3'000);
  EXPECT_DOUBLE_EQ(all.device.busy_seconds, 5);
  EXPECT_DOUBLE_EQ(all.device.held_seconds, 10);
  EXPECT_EQ(all.users.at("mara"),
            (Usage{.gpu_seconds = 10, .busy_seconds = 5, .joules = 3'000, .byte_seconds = 10.0 * 4'096 * 1'048'576}));
}

TEST(AccountantTest, SeveralShareByMeasuredUseAndNothingIsLost) {
  Accountant accountant;
  for (int i = 0; i <= 6; ++i) {
    accountant.add(
        at(i * 1s, {gpu(400, 90, {busy_process(1, "mara", 60, 1'000), busy_process(2, "ana", 20, 60'000)})}));
  }
  const Sums all = sums(accountant.account());
  EXPECT_THAT(all.users.at("mara").joules, DoubleNear(1'800, 1e-6));
  EXPECT_THAT(all.users.at("ana").joules, DoubleNear(600, 1e-6));
  EXPECT_THAT(all.users.at("mara").gpu_seconds + all.users.at("ana").gpu_seconds, DoubleNear(6, 1e-9));
  EXPECT_DOUBLE_EQ(all.device.joules, 2'400);
  EXPECT_DOUBLE_EQ(all.division.by_use_seconds, 6);
}

TEST(AccountantTest, TheBoardsOwnCounterIsBelievedMoreThanItsPower) {
  Accountant accountant;
  auto first = gpu(300, 50, {}), second = gpu(300, 50, {});
  first.reading.energy = Joules(1'000'000);
  second.reading.energy = Joules(1'002'500);
  accountant.add(at(0s, {first}));
  accountant.add(at(10s, {second}));
  EXPECT_DOUBLE_EQ(sums(accountant.account()).device.joules, 2'500);
}

TEST(AccountantTest, ACounterThatBeganAnewIsNotBelieved) {
  Accountant accountant;
  auto first = gpu(300, 50, {}), second = gpu(300, 50, {});
  first.reading.energy = Joules(1'000'000);
  second.reading.energy = Joules(5);
  accountant.add(at(0s, {first}));
  accountant.add(at(10s, {second}));
  EXPECT_DOUBLE_EQ(sums(accountant.account()).device.joules, 3'000);
}

TEST(AccountantTest, WhatIsNotMeasuredIsUnknownAndNotZero) {
  auto silent = gpu(0, 0, {busy_process(1, "mara", 50, 4'096)});
  silent.reading.power = missing(Missing::not_permitted);
  silent.reading.utilization = missing(Missing::not_supported);
  silent.reading.throttle_reasons = missing(Missing::not_supported);
  Accountant accountant;
  accountant.add(at(0s, {silent}));
  accountant.add(at(8s, {silent}));
  const Sums all = sums(accountant.account());
  EXPECT_EQ(all.device.joules, 0);
  EXPECT_DOUBLE_EQ(all.device.joules_unknown_seconds, 8);
  EXPECT_DOUBLE_EQ(all.device.busy_unknown_seconds, 8);
  EXPECT_DOUBLE_EQ(all.device.slowed_unknown_seconds, 8);
  EXPECT_DOUBLE_EQ(all.users.at("mara").joules_unknown_seconds, 8);
  EXPECT_DOUBLE_EQ(all.users.at("mara").busy_unknown_seconds, 8);
  EXPECT_DOUBLE_EQ(all.users.at("mara").gpu_seconds, 8);
}

TEST(AccountantTest, ADeviceThatIsAwayOrAsleepUsesNothingThatIsKnown) {
  const Snapshot four = four_gpus();
  Snapshot first = four, second = four;
  first.monotonic = MonotonicTime(1h);
  second.monotonic = MonotonicTime(1h + 5s);
  second.taken_at = first.taken_at + 5s;
  Accountant accountant;
  accountant.add(first);
  accountant.add(second);
  const Account account = accountant.account();
  ASSERT_EQ(account.slots.size(), 1u);
  EXPECT_DOUBLE_EQ(account.slots[0]->devices.at(0).watched_seconds, 5);
  EXPECT_DOUBLE_EQ(account.slots[0]->devices.at(2).asleep_seconds, 5);
  EXPECT_DOUBLE_EQ(account.slots[0]->devices.at(2).away_seconds, 0);
  EXPECT_DOUBLE_EQ(account.slots[0]->devices.at(3).away_seconds, 5);
  EXPECT_DOUBLE_EQ(account.slots[0]->devices.at(3).watched_seconds, 0);
}

TEST(AccountantTest, ProcessesThatCannotBeListedAreNobodys) {
  auto closed = gpu(200, 50, {});
  closed.processes_reason = "nvml: no permission";
  Accountant accountant;
  accountant.add(at(0s, {closed}));
  accountant.add(at(5s, {closed}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.device.held_unknown_seconds, 5);
  EXPECT_DOUBLE_EQ(all.device.unlisted.joules, 1'000);
  EXPECT_DOUBLE_EQ(all.device.free.joules, 0);
}

TEST(AccountantTest, WhoHoldsMemoryWhileTheGpuDoesNothingIsIdle) {
  Accountant accountant;
  const auto idle = [](double percent) {
    return gpu(90, percent, {busy_process(1, "priya", 0, 40'000), busy_process(2, "desktop", 0, 100)});
  };
  accountant.add(at(0s, {idle(2)}));
  accountant.add(at(5s, {idle(60)}));
  accountant.add(at(9s, {idle(60)}));
  const Sums all = sums(accountant.account());
  EXPECT_THAT(all.users.at("priya").idle_seconds, DoubleNear(5 * 40'000 / 40'100.0, 1e-9));
  EXPECT_GT(all.users.at("priya").idle_joules, 400);
  EXPECT_EQ(all.users.at("desktop").idle_seconds, 0);  // it keeps nobody out
}

TEST(AccountantTest, WhoHoldsMemoryWithoutUsingTheGpuHoardsItThoughOthersWork) {
  Accountant accountant;
  const auto shared = gpu(300, 90, {busy_process(1, "priya", 0, 40'000), busy_process(2, "mara", 90, 8'000)});
  accountant.add(at(0s, {shared}));
  accountant.add(at(5s, {shared}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.users.at("priya").hoarded_seconds, 5);
  EXPECT_DOUBLE_EQ(all.users.at("priya").hoarded_byte_seconds, 5 * 40'000.0 * (1 << 20));
  EXPECT_EQ(all.users.at("priya").idle_seconds, 0);  // the device was not idle
  EXPECT_EQ(all.users.at("mara").hoarded_seconds, 0);
}

TEST(AccountantTest, SlowedTimeIsToldByCause) {
  auto slow = [](ThrottleReasons reasons) {
    auto d = gpu(200, 50, {});
    d.reading.throttle_reasons = reasons;
    return d;
  };
  Accountant accountant;
  accountant.add(at(0s, {slow(Throttle::hardware_thermal)}));
  accountant.add(at(3s, {slow(Throttle::software_power_cap)}));
  accountant.add(at(5s, {slow(Throttle::idle)}));
  accountant.add(at(9s, {slow(Throttle::idle)}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.device.slowed_seconds, 5);
  EXPECT_DOUBLE_EQ(all.device.slowed_by_heat_seconds, 3);
  EXPECT_DOUBLE_EQ(all.device.slowed_by_power_seconds, 2);
}

TEST(AccountantTest, AGapIsCountedNowhere) {
  Accountant accountant;
  for (const auto time : {0s, 1s, 2s, 3s, 603s, 604s}) accountant.add(at(time, {gpu(100, 0, {})}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.device.watched_seconds, 4);
  EXPECT_DOUBLE_EQ(all.device.joules, 400);
}

TEST(AccountantTest, ARecordingOfAReadingAMinuteHasNoGaps) {
  Accountant accountant;
  for (int minute = 0; minute < 30; ++minute) accountant.add(at(minute * 60s, {gpu(100, 0, {})}));
  EXPECT_DOUBLE_EQ(sums(accountant.account()).device.watched_seconds, 29 * 60);
}

TEST(AccountantTest, PeaksHaveTheirMoment) {
  Accountant accountant;
  accountant.add(at(0s, {gpu(100, 0, {})}));
  accountant.add(at(1s, {gpu(640, 0, {})}));
  accountant.add(at(2s, {gpu(640, 0, {})}));
  accountant.add(at(3s, {gpu(640, 0, {})}));
  EXPECT_EQ(sums(accountant.account()).device.watts, (Peak{640, kThen + 1s}));
}

TEST(AccountantTest, SlotsAreFineAtFirstThenCoarseThenForgotten) {
  Accountant accountant({.fine = 10min, .coarse = 1h, .fine_kept = 2h, .kept = 5h});
  for (int minute = 0; minute < 9 * 60; ++minute) accountant.add(at(minute * 60s, {gpu(100, 0, {})}));
  const Account account = accountant.account();
  double watched = 0;
  WallTime last{};
  std::size_t coarse = 0;
  for (const auto& slot : account.slots) {
    EXPECT_GT(slot->begin, last);
    last = slot->begin;
    coarse += slot->length == 1h;
    const bool old = slot->begin + 4h < account.until;
    const bool young = slot->begin + 2h > account.until;
    EXPECT_TRUE(!old || slot->length == 1h);
    EXPECT_TRUE(!young || slot->length == 10min);
    watched += slot->devices.at(0).watched_seconds;
  }
  EXPECT_GE(coarse, 2u);
  EXPECT_LE(watched, 6.0 * 3600);
  EXPECT_GE(watched, 5.0 * 3600);
}

TEST(AccountantTest, ASlotBeginsAtARoundMoment) {
  Accountant accountant;
  accountant.add(at(0s, {gpu(100, 0, {})}));
  accountant.add(at(1s, {gpu(100, 0, {})}));
  const Account account = accountant.account();
  ASSERT_EQ(account.slots.size(), 1u);
  EXPECT_EQ(account.slots[0]->begin, kSlot);
  EXPECT_EQ(account.since, kThen);
  EXPECT_EQ(account.until, kThen + 1s);
}

TEST(AccountantTest, ALeaseSaysWhoseAProcessIs) {
  Accountant accountant;
  const std::vector<LeasedProcess> leased = {{.device = {"GPU-a"}, .pid = 1, .lease = 7, .service = "embedding"}};
  accountant.add(at(0s, {gpu(100, 10, {busy_process(1, "mara", 10, 4'000)})}), leased);
  accountant.add(at(1s, {gpu(100, 10, {})}), leased);
  const Account account = accountant.account();
  ASSERT_EQ(account.parties.size(), 1u);
  EXPECT_EQ(account.parties[0]->service, "embedding");
  EXPECT_EQ(account.parties[0]->lease, 7u);
}

TEST(AccountantTest, RaisedAlertsAreRememberedAfterTheyLeftTheSnapshot) {
  Accountant accountant;
  const auto with = [](AlertList alerts, std::chrono::seconds time) {
    Snapshot snapshot = at(time, {gpu(100, 0, {})});
    snapshot.alerts = std::make_shared<const AlertList>(std::move(alerts));
    return snapshot;
  };
  const Alert raised{.id = "a1", .rule = "thermal", .message = "hot", .fired_at = kThen};
  const Alert pending{.id = "a2", .rule = "thermal", .message = "warm"};
  accountant.add(with({raised, pending}, 0s));
  accountant.add(with({}, 1s));
  const Account account = accountant.account();
  ASSERT_EQ(account.alerts.size(), 1u);
  EXPECT_EQ(account.alerts[0].id, "a1");
}

TEST(AccountantTest, MorePartiesThanAnybodyHasAreCountedTogether) {
  Accountant accountant;
  for (int i = 0; i < 210; ++i) {
    std::vector<GpuProcess> crowd;
    for (int j = 0; j < 100; ++j) {
      crowd.push_back(busy_process(j + 1, "user " + std::to_string(100 * i + j), 1, 10));
    }
    accountant.add(at(i * 1s, {gpu(100, 100, std::move(crowd))}));
  }
  const Account account = accountant.account();
  EXPECT_LE(account.parties.size(), Accountant::kMostParties + 1);
  EXPECT_GT(sums(account).users.at("(others)").gpu_seconds, 5);
}

// A date of the clock and how long the machine runs need not go together.
Snapshot dated(std::chrono::seconds running, WallTime date) {
  Snapshot snapshot = at(running, {gpu(100, 50, {busy_process(1, "mara", 50, 4'096)})});
  snapshot.taken_at = date;
  return snapshot;
}

TEST(AccountantTest, ADateThatIsSetBackCountsWhereItSaysAndNothingTwice) {
  Accountant accountant;
  auto running = 0s;
  const auto watch = [&](WallTime from, std::chrono::seconds length) {
    for (auto time = 0s; time <= length; time += 10s, running += 10s) accountant.add(dated(running, from + time));
  };
  watch(kSlot, 30min);
  watch(kSlot + 5min, 5min);  // a clock that is corrected
  watch(kSlot - 24h, 10min);  // one that is wrong
  watch(kSlot + 15min, 5min);
  const Account account = accountant.account();
  for (std::size_t i = 1; i < account.slots.size(); ++i) {
    EXPECT_LE(account.slots[i - 1]->end(), account.slots[i]->begin);
  }
  // Each jump is a pace of ten seconds, too.
  EXPECT_DOUBLE_EQ(sums(account).device.watched_seconds, static_cast<double>((running - 10s).count()));
  EXPECT_DOUBLE_EQ(sums(account).users.at("mara").gpu_seconds, static_cast<double>((running - 10s).count()));
}

TEST(AccountantTest, AClockThatIsYearsAheadForAMomentTakesNothingAway) {
  Accountant accountant({.fine = 10min, .coarse = 1h, .fine_kept = 2h, .kept = 5h});
  auto running = 0s;
  for (; running < 3h; running += 60s) accountant.add(dated(running, kSlot + running));
  for (auto end = running + 30min; running < end; running += 60s) {
    accountant.add(dated(running, kSlot + 2 * 365 * 24h + running));
  }
  accountant.add(dated(running, kSlot + running));
  EXPECT_NEAR(sums(accountant.account()).device.watched_seconds, static_cast<double>(running.count()), 1);
  EXPECT_FALSE(accountant.steady_date());
}

// More than are remembered at a time, but never more within what is kept.
TEST(AccountantTest, PartiesWhoseTimeIsForgottenMakeRoomForOthers) {
  Accountant accountant;
  constexpr int kParties = 25'000;
  constexpr auto kEach = 40 * 86'400s / kParties;
  for (int i = 0; i < kParties; ++i) {
    GpuProcess p = process(1, "python3", 4'000);
    ProcessFacts facts;
    facts.user = "u" + std::to_string(i);
    facts.place = ProcessPlace{};
    facts.place->pod_uid = "uid" + std::to_string(i);
    facts.place->pod = PodNames{.name_space = "ml", .pod = "p" + std::to_string(i), .container = "main"};
    accountant.add(at(i * kEach, {gpu(100, 10, {told(p, facts)})}));
    if (i % 100 == 0) static_cast<void>(accountant.take_changes());  // as who saves does
  }
  const Account account = accountant.account();
  const Sums all = sums(account);
  EXPECT_FALSE(all.users.contains("(others)"));
  EXPECT_LE(account.parties.size(), Accountant::kMostParties);
  EXPECT_LE(account.pods.size(), Accountant::kMostParties);
  EXPECT_TRUE(account.pods.contains("uid" + std::to_string(kParties - 1)));
  EXPECT_DOUBLE_EQ(all.users.at("u" + std::to_string(kParties - 2)).gpu_seconds,
                   static_cast<double>(std::chrono::seconds(kEach).count()));
  EXPECT_NEAR(static_cast<double>(all.users.size()), 31.0 / 40 * kParties, 100);
}

TEST(AccountantTest, APodIsKnownByItsNameOnceThatIsTold) {
  const auto in_pod = [](std::optional<PodNames> names) {
    ProcessFacts facts;
    facts.user = "mara";
    facts.place = ProcessPlace{};
    facts.place->pod_uid = "5c6a0d3e-0000-0000-0000-000000000000";
    facts.place->pod = std::move(names);
    return gpu(100, 10, {told(process(1, "python3", 4'000), facts)});
  };
  Accountant accountant;
  accountant.add(at(0s, {in_pod(std::nullopt)}));
  EXPECT_TRUE(accountant.account().pods.empty());
  accountant.add(at(1s, {in_pod(PodNames{.name_space = "ml", .pod = "trainer-0", .container = "main"})}));
  const Account account = accountant.account();
  ASSERT_EQ(account.parties.size(), 1u) << "a name makes nobody another";
  EXPECT_EQ(pod_name(account, account.parties[0]->pod), "ml/trainer-0");
  EXPECT_EQ(account.parties[0]->service, "pod 5c6a0d3e");
  EXPECT_EQ(service_name(account, *account.parties[0]), "pod ml/trainer-0");
  EXPECT_EQ(accountant.take_changes()->pods.size(), 1u);
  accountant.add(at(2s, {in_pod(std::nullopt)}));
  EXPECT_TRUE(accountant.take_changes()->pods.empty()) << "it was handed over";
  EXPECT_EQ(accountant.account().pods.size(), 1u);
}

TEST(AccountantTest, OnlyWhatChangedIsHandedOverAndWhatWasNotKeptAgain) {
  Accountant accountant;
  EXPECT_FALSE(accountant.take_changes());
  for (int i = 0; i <= 30; ++i) accountant.add(dated(i * 60s, kSlot + i * 60s));
  const auto all = accountant.take_changes();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->slots.size(), 3u);
  EXPECT_FALSE(accountant.take_changes());
  accountant.add(dated(31 * 60s, kSlot + 31 * 60s));
  const auto some = accountant.take_changes();
  ASSERT_EQ(some->slots.size(), 1u);
  EXPECT_EQ(some->slots[0]->begin, kSlot + 30min);
  accountant.change_again(*some);
  accountant.change_again(*all);
  EXPECT_EQ(accountant.take_changes()->slots.size(), 4u);
}

TEST(AccountantTest, AnAlertThatNobodyKnowsAfterARestartWasOverByThen) {
  Account kept;
  kept.since = kThen - 1h;
  kept.until = kThen;
  kept.alerts.push_back({.id = "a1", .rule = "thermal", .message = "hot", .since = kThen, .fired_at = kThen - 10min});
  Accountant accountant;
  accountant.restore(kept, kThen - 24h);
  accountant.add(at(5min, {gpu(100, 0, {})}));
  const Account account = accountant.account();
  ASSERT_EQ(account.alerts.size(), 1u);
  EXPECT_EQ(account.alerts[0].resolved_at, kThen);
  EXPECT_EQ(account.since, kThen - 1h);
  EXPECT_EQ(accountant.complete_since(), kThen - 24h);
}

TEST(AccountantTest, WhatIsNobodysAddsUpWithWhatSomebodyUsed) {
  auto closed = gpu(200, 50, {});
  closed.processes_reason = "nvml: no permission";
  Accountant accountant;
  accountant.add(at(0s, {gpu(100, 10, {})}));
  accountant.add(at(5s, {closed}));
  accountant.add(at(8s, {gpu(300, 50, {busy_process(1, "mara", 50, 4'096)})}));
  accountant.add(at(10s, {gpu(300, 50, {})}));
  const Sums all = sums(accountant.account());
  EXPECT_DOUBLE_EQ(all.device.free.gpu_seconds, 5);
  EXPECT_DOUBLE_EQ(all.device.unlisted.gpu_seconds, 3);
  EXPECT_DOUBLE_EQ(all.device.free.busy_seconds, 0.5);
  Usage sum = all.users.at("mara");
  sum += all.device.free;
  sum += all.device.unlisted;
  EXPECT_DOUBLE_EQ(sum.gpu_seconds, all.device.watched_seconds);
  EXPECT_DOUBLE_EQ(sum.busy_seconds, all.device.busy_seconds);
  EXPECT_DOUBLE_EQ(sum.joules, all.device.joules);
  EXPECT_DOUBLE_EQ(sum.byte_seconds, all.device.byte_seconds);
}

}  // namespace
}  // namespace gpukeeper::account
