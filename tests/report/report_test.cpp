#include "report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "days.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> sentences(const Report& report) {
  std::vector<std::string> result;
  for (const Advice& advice : report.advice) result.push_back(advice.sentence);
  return result;
}

std::string refusal(const Day& day, const Range& range) {
  const auto gathered = gather(day.account, range, {});
  return gathered ? "none" : gathered.error().message;
}

TEST(ReportTest, SumsUpByDeviceUserAndService) {
  const Report report = two_gpus().report();
  EXPECT_EQ(report.to - report.from, 2h);
  ASSERT_EQ(report.devices.size(), 2u);
  EXPECT_DOUBLE_EQ(report.devices[0].use.joules, 7200.0 * 500);
  EXPECT_DOUBLE_EQ(report.total.joules, 7200.0 * 580);
  ASSERT_EQ(report.users.size(), 2u);
  EXPECT_EQ(report.users[0].name, "mara");
  EXPECT_DOUBLE_EQ(report.users[0].usage.gpu_seconds, 6000);
  EXPECT_EQ(report.users[1].name, "");
  EXPECT_EQ(report.services[0].name, "job 48213");
  ASSERT_EQ(report.jobs.size(), 1u) << "what is of no job has no row";
  EXPECT_DOUBLE_EQ(report.users[0].usage.joules + report.users[1].usage.joules + report.total.free.joules,
                   report.total.joules);
}

TEST(ReportTest, ColumnsCoverTheTimeAndAddUp) {
  const Report report = two_gpus().report();
  EXPECT_EQ(report.column, 10min);
  ASSERT_EQ(report.columns, 12u);
  double joules = 0;
  for (const auto& column : report.devices[0].columns) joules += column->joules;
  EXPECT_DOUBLE_EQ(joules, report.devices[0].use.joules);
}

TEST(ReportTest, AMonthHasColumnsOfHours) {
  Day day;
  const auto gpu = day.add_device("H100", 0);
  for (int hour = 0; hour < 30 * 24; ++hour) day.add_slot(1h).devices[gpu] = watched(3600, 100);
  const Report report = day.report();
  EXPECT_EQ(report.column, 6h);
  EXPECT_LE(report.columns, kMostColumns);
  EXPECT_DOUBLE_EQ(kwh(report.total.joules), 72);
}

TEST(ReportTest, ARangeIsWidenedToWholeSlots) {
  const Day day = two_gpus();
  const Report report = day.report({.since = day.begin + 35min, .until = day.begin + 61min});
  EXPECT_EQ(report.from, day.begin + 30min);
  EXPECT_EQ(report.to, day.begin + 70min);
  EXPECT_DOUBLE_EQ(report.devices[0].use.watched_seconds, 2400);
}

TEST(ReportTest, WithoutABeginItIsTheUsualLength) {
  const Day day = two_gpus();
  EXPECT_EQ(day.report({.usual = 30min}).from, day.begin + 90min);
}

TEST(ReportTest, ARangeOfWhichNothingIsKnownIsRefused) {
  const Day day = two_gpus();
  EXPECT_EQ(refusal(day, {.since = day.begin + 3h}),
            "there is nothing to report from 2026-05-28T23:20:00.000Z to 2026-05-28T22:20:00.000Z: what is known goes "
            "from 2026-05-28T20:20:00.000Z to 2026-05-28T22:20:00.000Z");
  EXPECT_EQ(refusal(day, {.until = day.begin - 1h}),
            "there is nothing to report from 2026-05-28T20:20:00.000Z to 2026-05-28T19:20:00.000Z: what is known goes "
            "from 2026-05-28T20:20:00.000Z to 2026-05-28T22:20:00.000Z");
  EXPECT_EQ(gather({}, {}, {}).error().message, "no GPU has been looked at twice yet: there is nothing to report");
  EXPECT_EQ(gather({}, {}, {}).error().code, Errc::unavailable);
  Day first_look = two_gpus();
  first_look.account.until = *first_look.account.since;
  EXPECT_EQ(gather(first_look.account, {}, {}).error().code, Errc::unavailable);
}

TEST(ReportTest, TheTimeBeforeTheAccountIsSaidToBeUnknown) {
  const Day day = two_gpus();
  EXPECT_THAT(day.report({.since = day.begin - 24h}).unknowns,
              Contains("Nothing is known of the time before 2026-05-28T20:20:00.000Z."));
}

TEST(ReportTest, AMachineWithoutAGpuIsReportedAsSuch) {
  Day day;
  day.account.until += 10s;
  const Report report = day.report();
  EXPECT_TRUE(report.devices.empty());
  EXPECT_THAT(report.unknowns, ElementsAre("There is no GPU: gpukeeper doctor says why."));
}

TEST(ReportTest, WhatWasNotMeasuredIsSaidAndInNoSum) {
  Day day;
  const auto gpu = day.add_device("H100", 0);
  for (int i = 0; i < 6; ++i) {
    account::DeviceUse use = watched(600, 0);
    use.joules_unknown_seconds = 600;
    use.busy_unknown_seconds = 600;
    day.add_slot().devices[gpu] = use;
  }
  day.add_slot().devices[gpu].asleep_seconds = 600;
  day.add_slot().devices[gpu].away_seconds = 600;
  EXPECT_THAT(
      day.report().unknowns,
      ElementsAre("For 0.17 of 1.3 GPU-hours a GPU could not be read. They are in no sum.",
                  "For 0.17 of 1.3 GPU-hours a GPU slept. Nothing is measured then, as measuring would wake it.",
                  "For 1.0 of 1.3 GPU-hours the power was not measured. Their energy is in no sum.",
                  "For 1.0 of 1.3 GPU-hours the use was not measured. Hours of use are without them."));
}

TEST(ReportTest, AdviceFollowsFromWhatWasMeasured) {
  const Report report = two_gpus().report({}, {.leases = hardly_used_lease()});
  EXPECT_THAT(
      sentences(report),
      ElementsAre("GPU 0 was held back for 12 min (10 % of its time), for 12 min by heat: look at fans, dust and "
                  "the air in front of it.",
                  "Lease 7 of embedding booked 40.0 GiB for 1.0 h and never used more than 3.0 GiB: others could "
                  "have the rest.",
                  "GPU 1 was free for 2.0 h of 2.0 h, and drew 0.16 kWh meanwhile."));
}

TEST(ReportTest, WhoHoldsIdleGpusIsNamedWithWhatItCost) {
  Day day = two_gpus();
  for (auto& slot : day.account.slots) {
    auto changed = std::make_shared<account::Slot>(*slot);
    changed->parties[{0, 0}].idle_seconds = 400;
    changed->parties[{0, 0}].idle_joules = 400 * 90;
    slot = changed;
  }
  const Report report = day.report({}, {.tariff = {.price_per_kwh = 0.30, .currency = "EUR"}});
  EXPECT_THAT(
      sentences(report),
      Contains("mara held GPUs for 1.3 h while they did nothing, 80 % of 1.7 GPU-hours; they drew 0.12 kWh (0.04 "
               "EUR) meanwhile. What is not needed overnight could be ended, or suspended."));
}

TEST(ReportTest, GpusThatFitOnOneAreNamed) {
  Day day;
  for (std::uint32_t i = 0; i < 3; ++i) day.add_device("H100", i);
  for (int i = 0; i < 12; ++i) {
    account::Slot& slot = day.add_slot();
    for (std::uint32_t place = 0; place < 3; ++place) {
      account::DeviceUse use = watched(600, 100);
      use.held_seconds = 600;
      use.busy_seconds = place == 2 ? 580 : 30;
      slot.devices[place] = use;
    }
  }
  EXPECT_THAT(
      sentences(day.report()),
      ElementsAre("GPUs 0, 1 were used less than 20 % on average, and held 20.0 GiB together at the most: by memory "
                  "that fits on one of them."));
}

TEST(ReportTest, NothingRemarkableGivesNoAdvice) {
  Day day;
  const auto gpu = day.add_device("H100", 0);
  account::DeviceUse use = watched(600, 300);
  use.held_seconds = 600;
  use.busy_seconds = 500;
  day.add_slot().devices[gpu] = use;
  EXPECT_TRUE(day.report().advice.empty());
}

TEST(ReportTest, AlertsOfThatTimeAreListedLatestFirst) {
  Day day = two_gpus();
  const auto alert = [&](std::string id, std::chrono::minutes fired, std::optional<std::chrono::minutes> over) {
    Alert a{.id = std::move(id), .rule = "thermal"};
    a.fired_at = day.begin + fired;
    if (over) a.resolved_at = day.begin + *over;
    return a;
  };
  day.account.alerts = {alert("before", -30min, -10min), alert("into", -30min, 5min), alert("in", 20min, 30min),
                        alert("last", 50min, std::nullopt)};
  const Report report = day.report();
  std::vector<std::string> ids;
  for (const Alert& each : report.alerts) ids.push_back(each.id);
  EXPECT_THAT(ids, ElementsAre("last", "in", "into"));
}

TEST(ReportTest, FaultsOfThatTimeAreCountedByDeviceAndKind) {
  const Day day = two_gpus();
  FaultList faults;
  for (const auto& [when, count] :
       {std::pair(day.begin + 10min, 3), std::pair(day.begin + 20min, 2), std::pair(day.begin - 24h, 9)}) {
    FaultRecord record;
    record.device.text = "GPU-1";
    record.first = record.last = when;
    record.count = static_cast<std::uint64_t>(count);
    record.title = "Memory error";
    record.severity = Severity::warning;
    faults.records.push_back(std::make_shared<const FaultRecord>(record));
  }
  const Report report = day.report({}, {.faults = std::make_shared<const FaultList>(faults)});
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].index, 1u);
  EXPECT_EQ(report.faults[0].count, 5u);
}

TEST(ReportTest, SlotsAreAsLongAsThePaceAllows) {
  EXPECT_EQ(slot_for(24h, 60s), 10min);
  EXPECT_EQ(slot_for(10min, 1s), 10s);
  EXPECT_EQ(slot_for(10min, 60s), 60s);
  EXPECT_EQ(slot_for(10s, 1s), 1s);
  EXPECT_EQ(slot_for(24h * 60, 60s), 1h);
}

TEST(ReportTest, CostAndCarbonNeedATariff) {
  EXPECT_EQ(cost(3.6e6, {}), std::nullopt);
  EXPECT_EQ(carbon_kg(3.6e6, {}), std::nullopt);
  EXPECT_DOUBLE_EQ(*cost(7.2e6, {.price_per_kwh = 0.25}), 0.5);
  EXPECT_DOUBLE_EQ(*carbon_kg(7.2e6, {.carbon_g_per_kwh = 380.0}), 0.76);
}

TEST(ReportTest, WhoHoldsMemoryForLongWithoutUsingItIsNamedWithHowMuch) {
  Day day = two_gpus();
  const auto priya = day.add_party({.user = "priya", .service = "notebook", .lease = 7});
  const auto brief = day.add_party({.user = "ana"});
  account::Slot& slot = day.add_slot();
  slot.parties[{1, priya}] = {.hoarded_seconds = 7'200, .hoarded_byte_seconds = 7'200.0 * (40ull << 30)};
  slot.parties[{0, priya}] = {.hoarded_seconds = 3'600, .hoarded_byte_seconds = 3'600.0 * (50ull << 30)};
  slot.parties[{0, brief}] = {.hoarded_seconds = 600, .hoarded_byte_seconds = 600.0 * (70ull << 30)};
  const Report report = day.report();
  ASSERT_EQ(report.hoarders.size(), 2u);
  EXPECT_EQ(report.hoarders[0].index, 1u);
  EXPECT_EQ(report.hoarders[0].party.user, "priya");
  EXPECT_DOUBLE_EQ(report.hoarders[0].usage.hoarded_byte_seconds / 3600 / (1ull << 30), 80);
  EXPECT_EQ(report.hoarders[1].index, 0u);
}

}  // namespace
}  // namespace gpukeeper::report
