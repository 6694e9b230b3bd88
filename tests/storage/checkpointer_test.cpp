#include "storage/checkpointer.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "faulty_disk.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr int kNever = 1'000'000;

class CheckpointerTest : public testing::Test {
 protected:
  CheckpointerTest() { EXPECT_TRUE(writer_.execute("PRAGMA journal_mode = WAL; CREATE TABLE entry (number INTEGER)")); }

  void write(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string insert = "INSERT INTO entry VALUES (" + std::to_string(++written_) + ")";
      ASSERT_TRUE(writer_.execute(insert.c_str()));
    }
  }

  static std::int64_t entries(const std::string& path) {
    auto database = Database::open(path, Database::Access::own);
    return database ? database->integer("SELECT count(*) FROM entry").value_or(-1) : -1;
  }

  /// How many entries stand in the database itself, without its log; -1 when not even the table does.
  std::int64_t copied_back() const {
    const TemporaryFolder other;
    const std::string copy = other.path() / "x.db";
    std::filesystem::copy_file(path_, copy);
    return entries(copy);
  }
  /// Another thread copies: a moment, but not for ever.
  bool comes_to_copy(std::int64_t least) const {
    for (int i = 0; i < 1000; ++i) {
      if (copied_back() >= least) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() / "x.db";
  Database writer_ = Database::open(path_, Database::Access::own).value();
  int written_ = 0;
};

TEST_F(CheckpointerTest, TheLogIsCopiedBackOnceItIsLong) {
  const Checkpointer checkpointer(writer_, path_, {.begin = 50, .most = kNever});
  write(20);
  EXPECT_EQ(copied_back(), -1) << "it was not long yet";
  write(40);
  EXPECT_TRUE(comes_to_copy(40));
  write(200);  // more than it can have been in the middle of
  EXPECT_TRUE(comes_to_copy(150)) << "and again";
}

TEST_F(CheckpointerTest, TheWriterDoesItWhereTheLogMayGrowNoFurther) {
  const Checkpointer checkpointer(writer_, path_, {.begin = kNever, .most = 50});
  write(60);
  EXPECT_GE(copied_back(), 40);
  const auto size = std::filesystem::file_size(path_ + "-wal");
  write(500);
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 2 * size);
}

TEST_F(CheckpointerTest, WhatCannotBeCopiedStaysInTheLog) {
  const Checkpointer checkpointer(writer_, path_, {.begin = kNever, .most = 50});
  write(48);
  {
    const FaultyDisk broken(FaultyDisk::Fault::torn, 4);  // the commit before gets through, the copying does not
    static_cast<void>(writer_.execute("INSERT INTO entry VALUES (0)"));
  }
  EXPECT_EQ(writer_.integer("SELECT count(*) FROM entry WHERE number > 0").value(), 48);
  write(100);
  EXPECT_GE(copied_back(), 100);
  EXPECT_EQ(writer_.integer("SELECT count(*) FROM entry WHERE number > 0").value(), 148);
}

TEST_F(CheckpointerTest, WithoutItSqliteHasItsOwnWayAgain) {
  { const Checkpointer checkpointer(writer_, path_, {.begin = kNever, .most = kNever}); }
  write(1100);
  EXPECT_GE(copied_back(), 990);
}

TEST_F(CheckpointerTest, WithoutASecondConnectionSqliteGoesOnAsItDoes) {
  const Checkpointer checkpointer(writer_, folder_.path() / "no-folder" / "x.db", {.begin = 10, .most = 20});
  write(1100);
  EXPECT_GE(copied_back(), 990);
}

}  // namespace
}  // namespace gpukeeper::sqlite
