#include "storage/sqlite_fault_store.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/fault_store_contract.hpp"
#include "fakes/memory_fault_store.hpp"
#include "fakes/temporary_folder.hpp"
#include "faulty_disk.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SqlitePlace final : public FaultStorePlace {
 public:
  std::shared_ptr<FaultStore> open() override { return SqliteFaultStore::open(folder_.path()).value(); }

 private:
  TemporaryFolder folder_;
};

class MemoryPlace final : public FaultStorePlace {
 public:
  std::shared_ptr<FaultStore> open() override { return std::make_shared<MemoryFaultStore>(disk_); }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

INSTANTIATE_TEST_SUITE_P(Sqlite, FaultStoreContract, testing::Values([]() -> std::unique_ptr<FaultStorePlace> {
                           return std::make_unique<SqlitePlace>();
                         }));
INSTANTIATE_TEST_SUITE_P(Memory, FaultStoreContract, testing::Values([]() -> std::unique_ptr<FaultStorePlace> {
                           return std::make_unique<MemoryPlace>();
                         }));

class SqliteFaultStoreTest : public testing::Test {
 protected:
  std::shared_ptr<SqliteFaultStore> open() {
    auto store = SqliteFaultStore::open(folder_);
    EXPECT_TRUE(store) << store.error().message;
    return store.value_or(nullptr);
  }
  static FaultEntries record(std::uint64_t id) {
    FaultEntries entries;
    entries.records.emplace_back().id = id;
    entries.records.back().detail = std::string(500, 'x');
    return entries;
  }
  void spoil(std::streamoff at, const std::string& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  const std::string path_ = folder_ + "/faults.db";
};

TEST_F(SqliteFaultStoreTest, AFileThatIsNoDatabaseIsMovedAsideAndSaid) {
  std::ofstream(path_) << std::string(4096, 'z');
  const auto store = open();
  EXPECT_EQ(store->notice(), "the fault journal " + path_ +
                                 " was damaged (sqlite: file is not a database); it was moved to " + path_ +
                                 ".damaged-1, and a new one was begun");
  EXPECT_TRUE(store->load(10)->empty());
  EXPECT_TRUE(store->write(record(1)));
  EXPECT_EQ(std::filesystem::file_size(path_ + ".damaged-1"), 4096u);
}

TEST_F(SqliteFaultStoreTest, ADamagedFileIsMovedAsideAndTheOneBeforeItKept) {
  for (int number = 1; number <= 2; ++number) {
    {
      const auto store = open();
      for (std::uint64_t id = 1; id <= 50; ++id) ASSERT_TRUE(store->write(record(id)));
    }
    spoil(4096 + 100, std::string(30'000, '\xee'));
    const auto store = open();
    EXPECT_THAT(store->notice(), HasSubstr("it was moved to " + path_ + ".damaged-" + std::to_string(number)));
    EXPECT_TRUE(store->load(10)->empty());
  }
}

TEST_F(SqliteFaultStoreTest, AFileThatIsRemovedWhileItIsWrittenIsBegunAnew) {
  const auto store = open();
  ASSERT_TRUE(store->write(record(1)));
  for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  const auto written = store->write(record(2));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), (Error{Errc::not_found, "the file was removed; a new one was begun"}));
  EXPECT_EQ(store->notice(), "the fault journal " + path_ + " was removed; a new one was begun");
  ASSERT_TRUE(store->write(record(2)));
  EXPECT_THAT(store->load(10)->records, SizeIs(1));
}

TEST_F(SqliteFaultStoreTest, TheFileOfANewerVersionIsLeftAlone) {
  { open(); }
  {
    auto database = sqlite::Database::open(path_, sqlite::Database::Access::own);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 7"));
  }
  const auto refused = SqliteFaultStore::open(folder_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_supported);
  EXPECT_EQ(refused.error().message,
            path_ +
                ": it was written by a newer gpukeeper (version 7, this one knows 1); use that one, or "
                "move the file away");
  EXPECT_EQ(SqliteFaultStore::open_to_read(folder_).error().code, Errc::not_supported);
}

TEST_F(SqliteFaultStoreTest, AFolderThatIsNotThereIsAnError) {
  const auto refused = SqliteFaultStore::open(folder_ + "/none");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, folder_ + "/none/faults.db: open: unable to open database file");
}

TEST_F(SqliteFaultStoreTest, OthersReadWhileItIsWrittenAndChangeNothing) {
  const auto none = SqliteFaultStore::open_to_read(folder_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), (Error{Errc::not_found, path_ + ": there is no journal"}));
  const auto store = open();
  ASSERT_TRUE(store->write(record(1)));
  const auto reader = SqliteFaultStore::open_to_read(folder_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_THAT((*reader)->load(10)->records, SizeIs(1));
  ASSERT_TRUE(store->write(record(2)));
  EXPECT_THAT((*reader)->load(10)->records, SizeIs(2));
  EXPECT_EQ((*reader)->write(record(3)).error(), (Error{Errc::not_permitted, "it was opened to be read"}));
}

TEST_F(SqliteFaultStoreTest, AFullDiskTakesNothingBackAndIsOverWhenThereIsSpaceAgain) {
  const auto store = open();
  ASSERT_TRUE(store->write(record(1)));
  {
    const FaultyDisk full(FaultyDisk::Fault::full);
    const auto written = store->write(record(2));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error(), (Error{Errc::resource_exhausted, "sqlite: database or disk is full"}));
    EXPECT_THAT(store->load(10)->records, SizeIs(1));
  }
  ASSERT_TRUE(store->write(record(2)));
  EXPECT_THAT(store->load(10)->records, SizeIs(2));
}

// Wherever a write is cut off, all of it is there afterwards or nothing, and the store goes on.
TEST_F(SqliteFaultStoreTest, AWriteThatFailsAtAnyPointIsAllOrNothing) {
  const auto store = open();
  std::uint64_t id = 0;
  for (int after = 0;; ++after) {
    FaultEntries entries = record(++id);
    entries.marks = {{{"GPU-a"}, "lost", id}};
    const auto before = store->load(1000);
    ASSERT_TRUE(before);
    const int writes = FaultyDisk::writes();
    bool written = false;
    {
      const FaultyDisk broken(FaultyDisk::Fault::broken, after);
      written = store->write(entries).has_value();
    }
    const auto now = store->load(1000);
    ASSERT_TRUE(now) << now.error().message;
    if (written && FaultyDisk::writes() - writes <= after) {
      EXPECT_GT(after, 2) << "the disk was never met";
      break;  // it needs no more writes than that
    }
    EXPECT_EQ(*now == *before, !written) << after;
    EXPECT_EQ(now->records.size(), written ? before->records.size() + 1 : before->records.size()) << after;
  }
}

}  // namespace
}  // namespace gpukeeper
