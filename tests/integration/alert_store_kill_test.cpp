#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/killed_writer.hpp"
#include "storage/sqlite_alert_store.hpp"

// A process that is killed while it saves its alerts keeps what somebody acknowledged and silenced, of one moment.

namespace gpukeeper {
namespace {

// All that is known after the change of that number.
AndonMemory memory_of(std::uint64_t number) {
  AndonMemory memory;
  memory.last_alert = number;
  memory.last_silence = number / 2;
  for (std::uint64_t id = number; id > 0 && id + 12 > number; --id) {
    KeptAlert& kept = memory.alerts.emplace_back();
    kept.alert.id = std::to_string(id);
    kept.alert.rule = "thermal";
    kept.alert.device = DeviceId{"GPU-a"};
    kept.alert.phase = AlertPhase::firing;
    kept.alert.message = std::string(1000, 'x');  // a save of several pages
    kept.alert.since = kThen;
    kept.alert.fired_at = kThen;
    if (id % 2 == 0) {
      kept.alert.acknowledged_by = "mara " + std::to_string(number);
      kept.alert.acknowledged_until = kThen + std::chrono::seconds(number);
      kept.alert.comment = "a fan is ordered";
    }
    kept.told = true;
  }
  if (number >= 2) {
    memory.silences.push_back({.id = std::to_string(number / 2),
                               .matcher = {.rule = "ecc*", .device = "GPU-a"},
                               .begun = kThen,
                               .until = kThen + std::chrono::seconds(number),
                               .by = "mara",
                               .comment = "is known"});
  }
  return memory;
}

void save_for_ever(const std::string& folder, const KilledWriter::Tell& tell) {
  auto store = SqliteAlertStore::open(folder);
  if (!store) ::_exit(1);
  const auto loaded = (*store)->load();
  if (!loaded) ::_exit(2);
  std::uint64_t number = loaded->last_alert;
  while ((*store)->save(memory_of(++number))) tell(number);
}

TEST(AlertStoreKillTest, WhatWasAcknowledgedAndSilencedSurvives) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  KilledWriter writer([&](const auto& tell) { save_for_ever(folder, tell); }, std::chrono::milliseconds(20));
  std::uint64_t saved = 0;
  for (int round = 0; round < 25; ++round) {
    ASSERT_TRUE(writer.run(round % 5 == 0));
    const auto store = SqliteAlertStore::open(folder);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->notice(), "") << "integrity";
    const auto loaded = (*store)->load();
    ASSERT_TRUE(loaded) << loaded.error().message;
    saved = std::max(saved, writer.told());
    ASSERT_GE(loaded->last_alert, saved);
    ASSERT_LE(loaded->last_alert, saved + 1) << "the one save that was under way";
    ASSERT_EQ(*loaded, memory_of(loaded->last_alert));
    saved = loaded->last_alert;
  }
  EXPECT_GT(saved, 25u) << "it was killed before it could save";
}

}  // namespace
}  // namespace gpukeeper
