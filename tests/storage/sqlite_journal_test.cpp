#include "storage/sqlite_journal.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/journal_contract.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/temporary_folder.hpp"
#include "faulty_disk.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class SqlitePlace final : public JournalPlace {
 public:
  std::unique_ptr<Journal> open(std::string boot_id) override {
    return SqliteJournal::open(folder_.path(), std::move(boot_id)).value();
  }

 private:
  TemporaryFolder folder_;
};

class MemoryPlace final : public JournalPlace {
 public:
  std::unique_ptr<Journal> open(std::string boot_id) override {
    return std::make_unique<MemoryJournal>(disk_, std::move(boot_id));
  }

 private:
  std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
};

INSTANTIATE_TEST_SUITE_P(Sqlite, JournalContract, testing::Values([]() -> std::unique_ptr<JournalPlace> {
                           return std::make_unique<SqlitePlace>();
                         }));
INSTANTIATE_TEST_SUITE_P(Memory, JournalContract, testing::Values([]() -> std::unique_ptr<JournalPlace> {
                           return std::make_unique<MemoryPlace>();
                         }));

class SqliteJournalTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteJournal> open(const std::string& folder) {
    auto journal = SqliteJournal::open(folder, "boot-1");
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }
  std::unique_ptr<SqliteJournal> open() { return open(folder_); }
  static LedgerChanges granting(std::uint64_t id, Durability durability = Durability::written) {
    LedgerChanges changes;
    changes.leases = {full_lease(id)};
    changes.numbers.last_id = id;
    changes.durability = durability;
    return changes;
  }
  void spoil(std::streamoff at, const std::string& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }
  /// What another process would find if this one were killed now.
  std::vector<std::uint64_t> after_a_kill() {
    const TemporaryFolder other;
    for (const char* end : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + end, other.path().string() + "/leases.db" + end);
    }
    const auto journal = open(other.path());
    EXPECT_EQ(journal->damage(), std::nullopt);
    return ids(*journal);
  }
  static std::vector<std::uint64_t> ids(Journal& journal) {
    std::vector<std::uint64_t> ids;
    const auto memory = journal.load(10);
    for (const KeptLease& kept : memory->leases) ids.push_back(number(kept.lease.id));
    return ids;
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  const std::string path_ = folder_ + "/leases.db";
  std::uint64_t last_ = 0;
};

TEST_F(SqliteJournalTest, WhatIsWrittenOutlivesTheProcess) {
  const auto journal = open();
  ASSERT_TRUE(journal->write(granting(1)));
  EXPECT_THAT(after_a_kill(), testing::ElementsAre(1));
}

TEST_F(SqliteJournalTest, ADamagedFileIsNeverAnEmptyOne) {
  {
    const auto journal = open();
    for (std::uint64_t id = 1; id <= 100; ++id) ASSERT_TRUE(journal->write(granting(id)));
  }
  open();  // which makes a copy of what is sound
  spoil(4096 + 100, std::string(30'000, '\xee'));
  const auto before = std::filesystem::file_size(path_);
  const auto journal = open();
  ASSERT_TRUE(journal->damage());
  EXPECT_EQ(journal->damage()->code, Errc::internal);
  EXPECT_THAT(journal->damage()->message, StartsWith("the leases in " + path_ + " are damaged ("));
  EXPECT_THAT(journal->damage()->message,
              HasSubstr("), so nothing is granted; stop gpukeeper, move " + path_ + " away, and rename " + path_ +
                        ".good, the last good copy, to " + path_ + " to go on with what it holds"));
  EXPECT_THAT(journal->load(10)->leases, SizeIs(100));
  EXPECT_EQ(journal->write(granting(101)).error(), *journal->damage());
  EXPECT_EQ(std::filesystem::file_size(path_), before);

  std::filesystem::rename(path_, path_ + ".away");
  for (const char* end : {"-wal", "-shm"}) std::filesystem::remove(path_ + end);
  std::filesystem::rename(path_ + ".good", path_);
  const auto again = open();
  EXPECT_EQ(again->damage(), std::nullopt);
  EXPECT_THAT(again->load(10)->leases, SizeIs(100));
}

TEST_F(SqliteJournalTest, ARowThatSomebodyChangedIsDamageToo) {
  { ASSERT_TRUE(open()->write(granting(1))); }
  {
    auto database = sqlite::Database::open(path_, sqlite::Database::Access::own);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("UPDATE lease SET min_bytes = 1"));
  }
  EXPECT_THAT(open()->damage()->message,
              HasSubstr("are damaged (the row of lease 1 is broken), so nothing is granted"));
}

TEST_F(SqliteJournalTest, ABrokenRowOfTheHistoryIsLeftOutAsItPromisesNothing) {
  {
    LedgerChanges changes = granting(1);
    changes.ended = {full_lease(2), full_lease(3)};
    ASSERT_TRUE(open()->write(changes));
  }
  {
    auto database = sqlite::Database::open(path_, sqlite::Database::Access::own);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("UPDATE ended SET min_bytes = 1 WHERE id = 2"));
  }
  const auto journal = open();
  EXPECT_EQ(journal->damage(), std::nullopt);
  const auto memory = journal->load(10);
  ASSERT_TRUE(memory);
  EXPECT_THAT(memory->leases, SizeIs(1));
  ASSERT_THAT(memory->history, SizeIs(1));
  EXPECT_EQ(memory->history[0].id, LeaseId{3});
}

TEST_F(SqliteJournalTest, AFileThatIsNoDatabaseIsLeftAlone) {
  std::ofstream(path_) << std::string(4096, 'z');
  const auto journal = open();
  ASSERT_TRUE(journal->damage());
  EXPECT_THAT(journal->damage()->message, HasSubstr("(sqlite: file is not a database)"));
  EXPECT_THAT(journal->load(10)->leases, SizeIs(0));
  EXPECT_EQ(std::filesystem::file_size(path_), 4096u);
}

TEST_F(SqliteJournalTest, AFileThatIsMissingBesideItsCopyWasNotEmpty) {
  { ASSERT_TRUE(open()->write(granting(1))); }
  open();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  const auto journal = open();
  ASSERT_TRUE(journal->damage());
  EXPECT_THAT(journal->damage()->message, HasSubstr("are damaged (it is missing)"));
  EXPECT_THAT(journal->load(10)->leases, SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteJournalTest, TheFileOfANewerVersionIsLeftAlone) {
  { open(); }
  {
    auto database = sqlite::Database::open(path_, sqlite::Database::Access::own);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 7"));
  }
  const auto refused = SqliteJournal::open(folder_, "boot-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Errc::not_supported,
                                    path_ + ": it was written by a newer gpukeeper (version 7 of the leases, this one "
                                            "knows 1); use that one, or move the file away"}));
}

TEST_F(SqliteJournalTest, AFolderThatIsNotThereIsAnError) {
  const auto refused = SqliteJournal::open(folder_ + "/none", "boot-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, folder_ + "/none/leases.db: open: unable to open database file");
}

TEST_F(SqliteJournalTest, AFullDiskKeepsNothingOfTheWriteAndIsOverWhenThereIsSpaceAgain) {
  const auto journal = open();
  ASSERT_TRUE(journal->write(granting(1)));
  {
    const FaultyDisk full(FaultyDisk::Fault::full);
    const auto written = journal->write(granting(2));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error(), (Error{Errc::resource_exhausted,
                                      "the leases cannot be kept in " + path_ + ": sqlite: database or disk is full"}));
  }
  EXPECT_THAT(after_a_kill(), testing::ElementsAre(1));
  ASSERT_TRUE(journal->write(granting(2)));
  EXPECT_THAT(after_a_kill(), testing::ElementsAre(1, 2));
}

// Wherever a write or a flush fails, and whatever of it reached the disk: all of a change is there afterwards or
// nothing, what was said to be kept is kept, and the journal goes on.
TEST_F(SqliteJournalTest, AWriteThatFailsAtAnyPointIsAllOrNothing) {
  for (const auto fault : {FaultyDisk::Fault::full, FaultyDisk::Fault::broken, FaultyDisk::Fault::torn}) {
    for (const auto durability : {Durability::written, Durability::flushed}) {
      const auto journal = open();
      for (int after = 0;; ++after) {
        const auto before = ids(*journal);
        // Two new leases instead of those that there are.
        LedgerChanges changes = granting(++last_, durability);
        changes.leases.push_back(full_lease(++last_));
        for (const std::uint64_t id : before) changes.ended.push_back(full_lease(id));
        const int tried = FaultyDisk::writes();
        bool written = false;
        {
          const FaultyDisk faulty(fault, after);
          written = journal->write(changes).has_value();
        }
        const bool met = FaultyDisk::writes() - tried > after;
        const std::vector<std::uint64_t> now = {last_ - 1, last_};
        const auto found = after_a_kill();
        EXPECT_TRUE(found == now || (!written && found == before)) << after;
        EXPECT_EQ(ids(*journal), written ? now : before) << after;
        if (!met) {
          EXPECT_TRUE(written);
          EXPECT_GT(after, 2) << "the disk was never met";
          break;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gpukeeper
