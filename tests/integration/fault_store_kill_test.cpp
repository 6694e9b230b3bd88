#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
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

// Writes one record after the other and says each on the pipe once write() has returned.
[[noreturn]] void write_for_ever(const std::string& folder, int pipe_end) {
  auto store = SqliteFaultStore::open(folder);
  if (!store) ::_exit(1);
  const auto loaded = (*store)->load(1);
  if (!loaded) ::_exit(2);
  std::uint64_t id = loaded->records.empty() ? 0 : loaded->records.back().id;
  for (;;) {
    ++id;
    if (!(*store)->write(entries(id))) ::_exit(3);
    if (::write(pipe_end, &id, sizeof id) != sizeof id) ::_exit(4);
  }
}

TEST(FaultStoreKillTest, NothingAcknowledgedIsLostAndNothingIsHalfWritten) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  std::mt19937 random(7);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 25; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_for_ever(folder, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    std::uint64_t id = 0;
    // Any moment after the first write, or, in every fifth round, right at the start.
    if (round % 5 != 0 && ::read(pipe_ends[0], &id, sizeof id) == sizeof id) acknowledged = id;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(pipe_ends[0], &id, sizeof id) == sizeof id) acknowledged = id;
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed with " << WEXITSTATUS(status);

    const auto store = SqliteFaultStore::open(folder);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->notice(), "") << "integrity";
    const auto loaded = (*store)->load(FaultStore::kMostRecords);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const auto written = loaded->records.size();
    ASSERT_GE(written, acknowledged);
    ASSERT_LE(written, acknowledged + 1) << "the one write that was under way";
    for (std::size_t i = 0; i < written; ++i) {
      ASSERT_EQ(loaded->records[i].id, i + 1);
      ASSERT_EQ(loaded->records[i].sources.size(), 1u);
    }
    ASSERT_EQ(loaded->reports.size(), written);
    ASSERT_EQ(loaded->totals.empty() ? 0 : loaded->totals[0].count, written);
    acknowledged = written;
  }
  EXPECT_GT(acknowledged, 25u) << "it was killed before it could write";
}

}  // namespace
}  // namespace gpukeeper
