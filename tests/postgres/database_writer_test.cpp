#include "postgres/database_writer.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fakes/fake_clock.hpp"
#include "../fakes/fake_log.hpp"
#include "fake_database.hpp"

namespace gpukeeper::postgres {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DatabaseWriterTest : public testing::Test {
 protected:
  void put(WallTime at, std::string state = "normal") {
    Tick tick;
    tick.at = at;
    tick.rows.push_back({.device = device_, .index = 0, .values = "\t" + state + "\t71.5"});
    spool_.put(std::move(tick));
  }
  void put(int many = 1) {
    for (int i = 0; i < many; ++i) put(at_ += 10s);
  }
  // Until nothing waits.
  void drain() {
    for (int i = 0; i < 100; ++i) {
      const auto pause = writer_.work({});
      if (!pause) return;
      clock_.advance(*pause);
    }
    FAIL() << "it never ends: " << writer_.status().error;
  }
  std::size_t different_rows() const { return std::set(database_.rows.begin(), database_.rows.end()).size(); }

  const std::shared_ptr<const Device> device_ = std::make_shared<const Device>(Device{.id = {"GPU-a"}, .name = "A"});
  WallTime at_{std::chrono::seconds(1'780'000'000)};
  FakeClock clock_;
  std::shared_ptr<FakeLogTarget> said_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, said_};
  FakeDatabase database_;
  Spool spool_{Bytes(64 << 10)};
  DatabaseWriter writer_{{.host = "node", .stream = "s", .metrics = {"power_watts"}, .keep = 24h * 30, .seed = 1},
                         database_,
                         spool_,
                         clock_,
                         log_};
};

TEST_F(DatabaseWriterTest, WritesWhatWaitsAndNotesHowFarItCame) {
  put(2);
  EXPECT_EQ(writer_.work({}), std::nullopt);
  EXPECT_THAT(database_.rows,
              ElementsAre("2026-05-28T20:26:50.000Z\t3\tnormal\t71.5", "2026-05-28T20:27:00.000Z\t3\tnormal\t71.5"));
  EXPECT_EQ(database_.last["s"], "2");
  EXPECT_THAT(database_.statements,
              Contains("COPY gpukeeper.reading (taken_at, device_id, state, \"power_watts\") FROM STDIN"));
  const auto status = writer_.status();
  EXPECT_TRUE(status.up);
  EXPECT_EQ(status.sent, 2U);
  EXPECT_EQ(status.waiting, 0U);
}

TEST_F(DatabaseWriterTest, StaysConnectedAndAsksForADeviceOnce) {
  put();
  drain();
  database_.statements.clear();
  put();
  drain();
  EXPECT_EQ(database_.connected, 1);
  EXPECT_EQ(database_.statements.size(), 6U);  // BEGIN, bounds, SELECT, COPY, UPDATE, COMMIT
}

// Whatever breaks, wherever, and whether or not the server had done it: each row is there once.
TEST_F(DatabaseWriterTest, NothingIsLostOrDoubledWhereverTheConnectionBreaks) {
  for (const bool applies_first : {false, true}) {
    for (int after = 0; after < 25; ++after) {
      database_.rows.clear();
      database_.applies_first = applies_first;
      database_.calls_left = after;
      put(3);
      drain();
      put(1);
      drain();
      EXPECT_EQ(database_.rows.size(), 4U) << after << applies_first;
      EXPECT_EQ(different_rows(), 4U) << after << applies_first;
    }
  }
  EXPECT_EQ(writer_.status().sent, 2U * 25 * 4);
  EXPECT_EQ(writer_.status().dropped, 0U);
}

TEST_F(DatabaseWriterTest, PausesGrowAndItSaysSoOnce) {
  database_.refuses_to_connect = Error{Errc::unavailable, "database x: Connection refused"};
  put();
  auto before = std::chrono::nanoseconds(0);
  for (int i = 0; i < 6; ++i) {
    const auto pause = writer_.work({});
    ASSERT_TRUE(pause);
    EXPECT_GT(*pause, before / 2);
    EXPECT_LE(*pause, DatabaseWriter::kLongestPause);
    before = *pause;
    clock_.advance(*pause);
  }
  EXPECT_GT(before, 10s);
  EXPECT_THAT(
      said_->take(),
      ElementsAre("warning: readings do not reach the database and wait in memory: database x: Connection refused"));
  auto status = writer_.status();
  EXPECT_FALSE(status.up);
  EXPECT_EQ(status.failures, 6U);
  EXPECT_EQ(status.waiting, 1U);
  EXPECT_EQ(status.error, "database x: Connection refused");
  database_.refuses_to_connect.reset();
  drain();
  EXPECT_THAT(said_->take(), ElementsAre("info: the database takes readings again; 1 waited for it"));
  EXPECT_TRUE(writer_.status().error.empty());
}

TEST_F(DatabaseWriterTest, WhatHadNoRoomIsCountedAndTheNewestArrive) {
  database_.refuses_to_connect = Error{Errc::unavailable, "refused"};
  put(2000);
  static_cast<void>(writer_.work({}));
  const auto dropped = writer_.status().dropped;
  EXPECT_GT(dropped, 1000U);
  database_.refuses_to_connect.reset();
  drain();
  EXPECT_EQ(database_.rows.size() + dropped, 2000U);
  EXPECT_EQ(database_.last["s"], "2000");
}

// SQLSTATE 22…: no attempt will ever do. What stands beside it must not wait for ever.
TEST_F(DatabaseWriterTest, ATickThatTheServerNeverTakesIsGivenUpAlone) {
  database_.refuses = [](const std::string& text) -> std::optional<Error> {
    if (text.find("poison") == std::string::npos) return std::nullopt;
    return Error{Errc::invalid_argument, "database x: value out of range (SQLSTATE 22003)"};
  };
  put(2);
  put(at_ += 10s, "poison");
  put(2);
  drain();
  EXPECT_EQ(database_.rows.size(), 4U);
  EXPECT_EQ(different_rows(), 4U);
  EXPECT_EQ(writer_.status().dropped, 1U);
  EXPECT_THAT(said_->take(), Contains("warning: 1 tick of readings will not come into the database: database x: value "
                                      "out of range (SQLSTATE 22003)"));
}

TEST_F(DatabaseWriterTest, TimesOfAClockThatWasWrongAreGivenUp) {
  put(WallTime(std::chrono::seconds(1'000)));
  put();
  put(WallTime(std::chrono::seconds(4'000'000'000)));
  drain();
  EXPECT_EQ(database_.rows.size(), 1U);
  EXPECT_EQ(writer_.status().dropped, 2U);
  EXPECT_THAT(said_->take(),
              Contains(HasSubstr("of 1970-01-01T00:16:40.000Z, and the database takes what is between")));
}

// The batch has to be written again, and they are in it again.
TEST_F(DatabaseWriterTest, WhatIsGivenUpIsCountedOnceHoweverOftenTheRestIsTried) {
  put(WallTime(std::chrono::seconds(1'000)));
  put();
  database_.refuses = [](const std::string& text) -> std::optional<Error> {
    if (!text.starts_with("COMMIT")) return std::nullopt;
    return Error{Errc::unavailable, "gone"};
  };
  for (int i = 0; i < 3; ++i) {
    const auto pause = writer_.work({});
    ASSERT_TRUE(pause);
    clock_.advance(*pause);
  }
  database_.refuses = nullptr;
  drain();
  EXPECT_EQ(database_.rows.size(), 1U);
  EXPECT_EQ(writer_.status().dropped, 1U);
}

// They are looked for one by one, and not all of them anew after each that is well.
TEST_F(DatabaseWriterTest, WhatStandsBeforeATickThatIsRefusedCostsNoAttempts) {
  database_.refuses = [](const std::string& text) -> std::optional<Error> {
    if (text.find("poison") == std::string::npos) return std::nullopt;
    return Error{Errc::invalid_argument, "database x: value out of range (SQLSTATE 22003)"};
  };
  put(20);
  put(at_ += 10s, "poison");
  put(20);
  drain();
  EXPECT_EQ(database_.rows.size(), 40U);
  EXPECT_EQ(writer_.status().failures, 2U);  // all of them, and the one
}

// A server that has not noticed that an earlier connection broke must not collect those that wait for it.
TEST_F(DatabaseWriterTest, AnAttemptDoesNotWaitForEverOnTheServer) {
  put();
  drain();
  EXPECT_THAT(database_.statements, Contains(HasSubstr("set_config('lock_timeout', '5s', true)")));
}

TEST_F(DatabaseWriterTest, ADatabaseOfANewerGpukeeperIsLeftAlone) {
  database_.version = "9";
  put();
  ASSERT_TRUE(writer_.work({}));
  EXPECT_EQ(writer_.status().error,
            "the database's tables are of version 9, which a newer gpukeeper has made; this one knows 2: update it");
  EXPECT_THAT(database_.rows, IsEmpty());
}

TEST_F(DatabaseWriterTest, AMonthThatIsMissingIsMade) {
  database_.months[0] = "f";
  put();
  static_cast<void>(writer_.work({}));
  EXPECT_THAT(database_.statements,
              Contains("CREATE TABLE gpukeeper.reading_2026_05 PARTITION OF gpukeeper.reading FOR VALUES FROM "
                       "('2023-11-14T22:13:20.000Z') TO ('2030-03-17T17:46:40.000Z')"));
}

TEST_F(DatabaseWriterTest, AStopLeavesWhatWaits) {
  std::stop_source stop;
  stop.request_stop();
  put(3);
  static_cast<void>(writer_.work(stop.get_token()));
  writer_.end();
  EXPECT_THAT(database_.rows, IsEmpty());
  EXPECT_THAT(said_->take(), ElementsAre("warning: 3 ticks of readings did not reach the database"));
}

}  // namespace
}  // namespace gpukeeper::postgres
