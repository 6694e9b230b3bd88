#include "report/accounting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "days.hpp"
#include "format/json_text.hpp"
#include "report/accounting_forms.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using account::Usage;
using testing::HasSubstr;
using Kind = AccountingRow::Kind;

// Two hours of two GPUs: mara's job on one; the other free, and for a slot it is not known who was on it.
Day day() {
  Day day = two_gpus();
  account::Slot& slot = day.add_slot();
  account::DeviceUse closed = watched(600, 90);
  closed.held_unknown_seconds = 600;
  closed.unlisted = std::exchange(closed.free, {});
  slot.devices[1] = closed;
  return day;
}

Accounting by(AccountKey key, const Day& day, account::Tariff tariff = {}) {
  const auto accounting =
      account_for(day.account, {}, key, {.host = "gpu-box", .basis = Basis::daemon, .tariff = tariff});
  EXPECT_TRUE(accounting) << accounting.error().message;
  return accounting.value_or(Accounting());
}

std::vector<std::string> names(const Accounting& accounting) {
  std::vector<std::string> result;
  for (const AccountingRow& row : accounting.rows) result.push_back(std::string(to_string(row.kind)) + ":" + row.name);
  return result;
}

TEST(AccountingTest, WhatNobodyUsedAndWhatNobodyKnowsHaveRowsOfTheirOwn) {
  EXPECT_THAT(names(by(AccountKey::user, day())), testing::ElementsAre("named:mara", "none:", "unlisted:", "free:"));
  EXPECT_THAT(names(by(AccountKey::lease, day())), testing::ElementsAre("none:", "unlisted:", "free:"));
  EXPECT_THAT(names(by(AccountKey::gpu, day())),
              testing::ElementsAre("named:0 NVIDIA H100 80GB HBM3 GPU-0", "named:1 NVIDIA H100 80GB HBM3 GPU-1"));
}

TEST(AccountingTest, PodsAreCalledByTheirNamesAndAddedUpByNamespace) {
  Day known = day();
  const auto in_pod = [&](std::size_t party, const std::string& uid) {
    auto changed = *known.account.parties.at(party);
    changed.pod = uid;
    known.account.parties[party] = std::make_shared<const account::Party>(std::move(changed));
  };
  in_pod(0, "5c6a");
  EXPECT_THAT(names(by(AccountKey::pod, known)), testing::Contains("named:5c6a"));
  EXPECT_THAT(names(by(AccountKey::name_space, known)), testing::ElementsAre("none:", "unlisted:", "free:"));
  known.account.pods["5c6a"] = "ml/trainer-0";
  EXPECT_THAT(names(by(AccountKey::pod, known)), testing::Contains("named:ml/trainer-0"));
  EXPECT_THAT(names(by(AccountKey::name_space, known)), testing::Contains("named:ml"));
  EXPECT_THAT(accounting_text(by(AccountKey::name_space, day()), 0s), HasSubstr("(in no namespace known)"));
}

TEST(AccountingTest, EveryKeyAddsUpToWhatTheGpusDid) {
  const Day known = day();
  account::DeviceUse all;
  for (const auto& slot : known.account.slots) {
    for (const auto& [place, use] : slot->devices) all += use;
  }
  for (const std::string_view word : account_key_words()) {
    const Accounting accounting = by(*parse_account_key(word), known);
    EXPECT_NEAR(accounting.total.gpu_seconds, all.watched_seconds, 1e-6) << word;
    EXPECT_NEAR(accounting.total.joules, all.joules, 1e-3) << word;
    EXPECT_NEAR(accounting.total.byte_seconds, all.byte_seconds, 1e3) << word;
  }
}

TEST(AccountingTest, AWordThatIsNoneIsRefusedWithThoseThereAre) {
  EXPECT_EQ(parse_account_key("process-class"), AccountKey::work);
  EXPECT_EQ(parse_account_key("shoe").error().message,
            "by takes one of user, service, container, pod, namespace, job, lease, class, gpu, not 'shoe'");
}

TEST(AccountingTest, OnlyTheStretchThatIsAskedForCounts) {
  const Day known = day();
  const auto accounting =
      account_for(known.account, {.since = known.begin + 30min, .until = known.begin + 60min}, AccountKey::user, {});
  ASSERT_TRUE(accounting);
  EXPECT_EQ(accounting->from, known.begin + 30min);
  EXPECT_EQ(accounting->to, known.begin + 60min);
  EXPECT_DOUBLE_EQ(accounting->total.gpu_seconds, 2 * 1800);
  const auto none = account_for(known.account, {.since = known.begin + 9h}, AccountKey::user, {});
  EXPECT_EQ(none.error().code, Errc::invalid_argument);
}

TEST(AccountingTest, TheTableSaysWhatItAddsUpAndByWhichModel) {
  const std::string text = accounting_text(
      by(AccountKey::user, day(), {.price_per_kwh = 0.5, .currency = "EUR", .carbon_g_per_kwh = 400}), 2h);
  EXPECT_THAT(text, testing::StartsWith("=== GPU Accounting by user ===\n\n"
                                        "2026-05-28 22:20:00 to 2026-05-29 00:30:00 (gpu-box)\n\n"));
  EXPECT_THAT(text, HasSubstr("                      GPU-h  used  idle  GiB-h   kWh   EUR  kg CO2\n"));
  EXPECT_THAT(text, HasSubstr("  mara                  1.7   1.5     0    1.6  0.83  0.42    0.33\n"));
  EXPECT_THAT(text, HasSubstr("  (no user is known)   0.33 "));
  EXPECT_THAT(text, HasSubstr("  (not attributable)   0.17 "));
  EXPECT_THAT(text, HasSubstr("  (nobody)              2.0 "));
  EXPECT_THAT(text, HasSubstr("  total                 4.2 "));
  EXPECT_THAT(
      text,
      HasSubstr("A GPU that several processes share is divided, with its time and all energy that it draws, by the\n"));
}

TEST(AccountingTest, JsonAndCsvTellTheSame) {
  const Accounting accounting = by(AccountKey::user, two_gpus("=1+1"), {.price_per_kwh = 0.5});
  const Json document = Json::parse(accounting_json(accounting, true));
  EXPECT_EQ(document["schema"], "gpukeeper.accounting/1");
  EXPECT_EQ(document["rows"][0]["name"], "=1+1");
  EXPECT_EQ(document["rows"][0]["gpu_seconds"], 6000);
  EXPECT_EQ(document["rows"][0]["joules"], 3e6);
  EXPECT_EQ(document["rows"][0]["carbon_kg"], Json());
  EXPECT_EQ(document["rows"][1]["name"], Json());
  EXPECT_EQ(document["total"]["gpu_seconds"], 14400);
  const std::string csv = accounting_csv(accounting);
  EXPECT_THAT(csv, testing::StartsWith("host,from,to,origin,by,kind,name,gpu_seconds,gpu_hours,"));
  EXPECT_THAT(csv, HasSubstr(",user,named,'=1+1,6000,1.666667,"));
  EXPECT_THAT(csv, HasSubstr(",user,none,,1200,"));
}

TEST(AccountingTest, WhatWasNotMeasuredIsNoZero) {
  Day dark = two_gpus();
  account::Slot& slot = dark.add_slot();
  const auto silent = dark.add_party({.user = "ana"});
  slot.parties[{0, silent}] = {
      .gpu_seconds = 60, .busy_unknown_seconds = 60, .joules_unknown_seconds = 60, .byte_unknown_seconds = 60};
  const Json document = Json::parse(accounting_json(by(AccountKey::user, dark), false));
  const Json& ana = document["rows"][1];
  EXPECT_EQ(ana["name"], "ana");
  EXPECT_EQ(ana["joules"], Json());
  EXPECT_EQ(ana["busy_seconds"], Json());
  EXPECT_EQ(ana["memory_gib_hours"], Json());
  EXPECT_EQ(ana["joules_unknown_seconds"], 60);
}

}  // namespace
}  // namespace gpukeeper::report
