#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/killed_writer.hpp"
#include "storage/sqlite_fault_store.hpp"

// A writer that is killed at any moment loses nothing that was acknowledged, and leaves no half of a write behind.

namespace gpukeeper {
namespace {

FaultEntries entries(std::uint64_t id) {
  FaultEntries result;
  FaultRecord& record = result.records.emplace_back();
  record.id = id;
  record.kind = EventKind::xid;
  record.code = 79;
  record.device.text = "GPU-a";
  record.first = kThen;
  record.last = kThen;
  record.count = 1;
  record.detail = std::string(3000, 'x');  // a write of more than a page
  record.sources = {"kernel log"};
  record.severity = Severity::critical;
  result.reports = {{id, id, kThen, 1, "kernel log", std::to_string(id)}};
  result.totals = {{{"GPU-a"}, EventKind::xid, Severity::critical, id, kThen}};
  return result;
}

void write_for_ever(const std::string& folder, const KilledWriter::Tell& tell) {
  auto store = SqliteFaultStore::open(folder);
  if (!store) ::_exit(1);
  const auto loaded = (*store)->load(1);
  if (!loaded) ::_exit(2);
  std::uint64_t id = loaded->records.empty() ? 0 : loaded->records.back().id;
  while ((*store)->write(entries(++id))) tell(id);
}

TEST(FaultStoreKillTest, NothingAcknowledgedIsLostAndNothingIsHalfWritten) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  KilledWriter writer([&](const auto& tell) { write_for_ever(folder, tell); }, std::chrono::milliseconds(20));
  std::uint64_t written = 0;
  for (int round = 0; round < 25; ++round) {
    ASSERT_TRUE(writer.run(round % 5 == 0));
    const std::uint64_t acknowledged = std::max(writer.told(), written);
    const auto store = SqliteFaultStore::open(folder);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->notice(), "") << "integrity";
    const auto loaded = (*store)->load(FaultStore::kMostRecords);
    ASSERT_TRUE(loaded) << loaded.error().message;
    written = loaded->records.size();
    ASSERT_GE(written, acknowledged);
    ASSERT_LE(written, acknowledged + 1) << "the one write that was under way";
    for (std::size_t i = 0; i < written; ++i) {
      ASSERT_EQ(loaded->records[i].id, i + 1);
      ASSERT_EQ(loaded->records[i].sources.size(), 1u);
    }
    ASSERT_EQ(loaded->reports.size(), written);
    ASSERT_EQ(loaded->totals.empty() ? 0 : loaded->totals[0].count, written);
  }
  EXPECT_GT(written, 25u) << "it was killed before it could write";
}

}  // namespace
}  // namespace gpukeeper
