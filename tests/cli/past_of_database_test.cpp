#include "cli/past_of_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/scripted_database.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using postgres::DatabaseReader;
using postgres::ScriptedDatabase;
using postgres::StoredHost;
using testing::HasSubstr;

class PastOfDatabaseTest : public testing::Test {
 protected:
  PastOfDatabaseTest() {
    database_.has_metrics({"power_watts", "fan_percent"});
    database_.answers.emplace_back(
        "to_jsonb(d)",
        ScriptedDatabase::Table{
            {"GPU-new", "0", {}, "NVIDIA H100", "nvidia", {}, {}, "nvml", "f", "f", micros(kThen)},
            {"GPU-old", "0", {}, "NVIDIA A100", "nvidia", {}, {}, "nvml", "f", "f", micros(kThen - 48h)},
            {"GPU-b", "1", {}, "NVIDIA H200", "nvidia", {}, {}, "nvml", "f", "f", micros(kThen)},
            {"MIG-b", "1", "2", "NVIDIA H200", "nvidia", "GPU-b", "1g.10gb", "nvml", "f", "f", micros(kThen)}});
    database_.answers.emplace_back("GROUP BY piece", ScriptedDatabase::Table{{"2", "1", "300", "300", "300", "300"}});
    database_.answers.emplace_back("FROM gpukeeper.host",
                                   ScriptedDatabase::Table{{"node-1", "2", {}, {}}, {"node-2", "2", {}, {}}});
  }

  Result<HistoryView> view(HistoryQuery query) {
    DatabaseReader reader(*database_.connect({}), 1s);
    return stored_history(reader, "node-1", std::move(query), kThen);
  }
  std::string refusal(HistoryQuery query) {
    const auto made = view(std::move(query));
    return made ? "none" : made.error().message;
  }
  static std::string micros(WallTime time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
  }

  ScriptedDatabase database_;
};

TEST_F(PastOfDatabaseTest, IsTheViewThatADaemonGives) {
  const auto made = view({.metrics = {"power_watts"}, .devices = {"0"}, .since = kThen - 30s, .step = 10s});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->host, "node-1");
  EXPECT_EQ(made->from, kThen - 30s);
  EXPECT_EQ(made->step, 10s);
  ASSERT_EQ(made->devices.size(), 1u);
  EXPECT_EQ(made->devices[0].id, "GPU-new");
  const auto& buckets = made->devices[0].metrics[0].buckets;
  EXPECT_FALSE(buckets[0]);
  EXPECT_FALSE(buckets[1]);
  EXPECT_EQ(buckets[2]->last, 300);
}

TEST_F(PastOfDatabaseTest, WithoutAWishItIsTheLastHourOfTheGpusThatAreThere) {
  const auto made = view({});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->from, kThen - 1h);
  ASSERT_EQ(made->devices.size(), 3u);  // without the one that has gone
  EXPECT_EQ(made->devices[1].id, "GPU-b");
  EXPECT_EQ(made->devices[2].index, "1:2");
  EXPECT_EQ(made->devices[0].metrics[0].name, "power_watts");  // of the usual ones what is kept
}

TEST_F(PastOfDatabaseTest, OneThatHasGoneIsFoundByItsName) {
  EXPECT_EQ(view({.devices = {"GPU-old"}})->devices[0].name, "NVIDIA A100");
  EXPECT_EQ(view({.devices = {"1:2"}})->devices[0].id, "MIG-b");
}

TEST_F(PastOfDatabaseTest, SaysWhatThereIsInPlaceOfWhatThereIsNot) {
  EXPECT_THAT(refusal({.devices = {"9"}}), HasSubstr("there is no GPU '9': "));
  EXPECT_EQ(refusal({.metrics = {"power_wats"}}), "there is no metric 'power_wats': did you mean power_watts?");
  EXPECT_EQ(refusal({.metrics = {"energy_joules"}}),
            "energy_joules is not kept in that database (database.metrics names what is): it has power_watts, "
            "fan_percent");
  std::erase_if(database_.answers, [](const auto& each) { return each.first == "to_jsonb(d)"; });
  EXPECT_EQ(refusal({}), "the machine 'node-1' has no GPU in that database");
  database_.answers.back().second = {{"node-12", "2", {}, {}}};
  EXPECT_EQ(refusal({}), "there is no machine 'node-1' in that database: did you mean 'node-12'?");
  database_.answers.back().second = {{"mars", "2", {}, {}}, {"venus", "2", {}, {}}};
  EXPECT_EQ(refusal({}), "there is no machine 'node-1' in that database: there are mars, venus");
}

TEST_F(PastOfDatabaseTest, WhatTheServerRefusesIsAnErrorAndNoGap) {
  database_.refuses = [](const std::string& sql) -> std::optional<Error> {
    if (sql.find("GROUP BY piece") == std::string::npos) return std::nullopt;
    return Error{Errc::unavailable, "database x: the connection was lost"};
  };
  EXPECT_EQ(refusal({}), "database x: the connection was lost");
}

TEST_F(PastOfDatabaseTest, MachinesAsAPageCsvAndJson) {
  const std::vector<StoredHost> hosts = {{"node-1", 8, kThen, kThen + 1500ms}, {"a,b", 0, {}, {}}};
  EXPECT_EQ(render_hosts(hosts, {}),
            "MACHINE  GPUS  SINCE                     UNTIL\n"
            "node-1      8  2026-05-28T20:26:40.000Z  2026-05-28T20:26:41.500Z\n"
            "a,b         0  -                         -\n");
  EXPECT_EQ(render_hosts({}, {}), "No machine has written there yet.\n");
  EXPECT_EQ(hosts_csv(hosts),
            "host,gpus,since,until\nnode-1,8,2026-05-28T20:26:40.000Z,2026-05-28T20:26:41.500Z\n\"a,b\",0,,\n");
  EXPECT_THAT(hosts_json(hosts), HasSubstr(R"("schema": "gpukeeper.database_hosts/1")"));
}

}  // namespace
}  // namespace gpukeeper::cli
