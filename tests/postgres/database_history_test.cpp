#include "postgres/database_history.hpp"

#include <condition_variable>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fakes/scripted_database.hpp"
#include "../fakes/snapshots.hpp"

namespace gpukeeper::postgres {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class DatabaseHistoryTest : public testing::Test {
 protected:
  void begin(DatabaseHistory::Options options) {
    auto connector = std::make_unique<ScriptedDatabase>();
    database_ = connector.get();
    database_->has_metrics({"power_watts"});
    database_->answers.emplace_back("FROM gpukeeper.reading WHERE",
                                    ScriptedDatabase::Table{{"0", "1", "7", "7", "7", "7"}});
    database_->answers.emplace_back("min(", ScriptedDatabase::Table{{"1780000000000000"}});
    options.host = "node";
    history_ = std::make_unique<DatabaseHistory>(options, std::move(connector));
  }
  // How many pieces, or why there are none.
  std::string read() {
    std::size_t pieces = 0;
    const auto well =
        history_->read({.device = {"GPU-a"}, .metrics = {"power_watts"}, .from = kThen, .to = kThen + 60s, .step = 10s},
                       [&](auto...) { ++pieces; });
    return well ? std::to_string(pieces) : well.error().message;
  }
  // The server stands still, until it is stopped.
  void hang() {
    database_->hold = [](const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any changed;
      std::unique_lock lock(mutex);
      changed.wait(lock, stop, [] { return false; });
    };
  }

  ScriptedDatabase* database_ = nullptr;
  std::unique_ptr<DatabaseHistory> history_;
};

TEST_F(DatabaseHistoryTest, ReadsOverOneConnectionAsLongAsThereIsSomethingToRead) {
  begin({.patience = 60s});
  EXPECT_EQ(read(), "1");
  EXPECT_EQ(read(), "1");
  EXPECT_EQ(history_->oldest(), kThen);
  EXPECT_EQ(database_->connected.load(), 1);
}

TEST_F(DatabaseHistoryTest, WhatMemoryKnowsIsNotToldTwice) {
  begin({.patience = 60s});
  const OlderHistory::Query query{.device = {"GPU-a"},
                                  .metrics = {"power_watts"},
                                  .from = kThen,
                                  .to = kThen + 60s,
                                  .step = 10s,
                                  .known = MonotonicTime(1h)};
  EXPECT_TRUE(history_->read(query, [](auto...) {}));
  EXPECT_EQ(database_->asked.back().parameters[3], "1780000059950000");
}

TEST_F(DatabaseHistoryTest, NobodyWaitsLongerThanThePatienceAndThoseAfterThemNotAtAll) {
  begin({.patience = 20ms, .rest = 1h});
  hang();
  EXPECT_EQ(read(), "the database did not answer within 0.02 s");
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read(), "the database did not answer within 0.02 s");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_EQ(database_->connected.load(), 1);
}

TEST_F(DatabaseHistoryTest, WhileItHangsNobodyElseBeginsToWait) {
  begin({.patience = 20ms, .rest = 0ms});
  hang();
  EXPECT_EQ(read(), "the database did not answer within 0.02 s");
  EXPECT_EQ(read(), "the database has still not answered");
}

TEST_F(DatabaseHistoryTest, AfterAFailureItIsTriedAgainOnceItHasRested) {
  begin({.patience = 60s, .rest = 0ms});
  database_->refuses_to_connect = Error{Errc::unavailable, "database x: Connection refused"};
  EXPECT_EQ(read(), "database x: Connection refused");
  EXPECT_EQ(history_->oldest(), std::nullopt);
  database_->refuses_to_connect.reset();
  EXPECT_EQ(read(), "1");
}

// A server that was restarted meanwhile: who asks next should not have to pay for that.
TEST_F(DatabaseHistoryTest, AConnectionThatHasBrokenIsMadeAnewAtOnce) {
  begin({.patience = 60s});
  EXPECT_EQ(read(), "1");
  int left = 1;
  database_->refuses = [&](const std::string&) -> std::optional<Error> {
    if (left-- > 0) return Error{Errc::unavailable, "database x: the connection was lost"};
    return std::nullopt;
  };
  EXPECT_EQ(read(), "1");
  EXPECT_EQ(database_->connected.load(), 2);
}

TEST_F(DatabaseHistoryTest, AStopEndsWhatHangsAndTellsWhoWaits) {
  begin({.patience = 60s});
  hang();
  std::jthread stopper([&] {
    while (database_->connected == 0) std::this_thread::yield();
    history_->begin_stop();
  });
  read();
  stopper.join();
  while (!history_->ended()) std::this_thread::yield();
  EXPECT_THAT(read(), HasSubstr("gpukeeper ends"));
}

}  // namespace
}  // namespace gpukeeper::postgres
