#include "postgres/database_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fakes/scripted_database.hpp"
#include "../fakes/snapshots.hpp"

namespace gpukeeper::postgres {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Piece {
  std::size_t metric;
  WallTime at;
  HistoryBucket bucket;
};

class DatabaseReaderTest : public testing::Test {
 protected:
  DatabaseReaderTest() { database_.has_metrics({"power_watts", "fan_percent", "a_column_of_somebody_else"}); }

  DatabaseReader reader() { return {*database_.connect({}), 2s}; }

  std::vector<Piece> read(const OlderHistory::Query& query) {
    std::vector<Piece> pieces;
    auto from = reader();
    const auto well = from.read("node", query, [&](std::size_t metric, WallTime at, const HistoryBucket& bucket) {
      pieces.push_back({metric, at, bucket});
    });
    EXPECT_TRUE(well) << well.error().message;
    return pieces;
  }

  static OlderHistory::Query query(std::vector<std::string_view> metrics) {
    return {.device = {"GPU-a"}, .metrics = std::move(metrics), .from = kThen, .to = kThen + 60s, .step = 10s};
  }

  ScriptedDatabase database_;
};

TEST_F(DatabaseReaderTest, KnowsTheMetricsThatHaveAColumn) {
  EXPECT_THAT(*reader().metrics(), ElementsAre("power_watts", "fan_percent"));
}

TEST_F(DatabaseReaderTest, SaysWhereNobodyHasWritten) {
  database_.answers.clear();
  EXPECT_EQ(reader().hosts().error(),
            (Error{Errc::not_found,
                   "no gpukeeper has written into that database yet: there is no table gpukeeper.reading in it"}));
}

TEST_F(DatabaseReaderTest, HandsOverWhatTheServerSummedUpAndAGapIsNoPiece) {
  database_.answers.emplace_back(
      "FROM gpukeeper.reading WHERE",
      ScriptedDatabase::Table{
          {"0", "2", "1", "1.5", "2", "2"}, {"3", "0", {}, {}, {}, {}}, {"5", "1", "7", "7", "7", "7"}});
  const auto pieces = read(query({"fan_percent"}));
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].at, kThen);
  EXPECT_EQ(pieces[0].bucket, (HistoryBucket{2, 1, 1.5, 2, 2}));
  EXPECT_EQ(pieces[1].at, kThen + 50s);
}

TEST_F(DatabaseReaderTest, MetricsKeepTheirPositionsAndThoseWithoutAColumnAreNotAskedFor) {
  database_.answers.emplace_back("FROM gpukeeper.reading WHERE",
                                 ScriptedDatabase::Table{{"0", "1", "9", "9", "9", "9", "0", {}, {}, {}, {}}});
  const auto pieces = read(query({"temperature_celsius", "power_watts", "fan_percent"}));
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].metric, 1u);
  EXPECT_THAT(database_.asked.back().sql, Not(HasSubstr("temperature_celsius")));
  database_.asked.clear();
  EXPECT_THAT(read(query({"temperature_celsius"})), IsEmpty());
  EXPECT_EQ(database_.asked.size(), 1u);  // which columns there are, and nothing else
}

TEST_F(DatabaseReaderTest, NamesOfMachinesAndDevicesAreParametersOnly) {
  const std::string evil = "x'; DROP TABLE gpukeeper.reading; --";
  auto all = query({"power_watts"});
  all.device.text = evil;
  auto from = reader();
  EXPECT_TRUE(from.read(evil, all, [](auto...) {}));
  EXPECT_TRUE(from.devices(evil));
  EXPECT_TRUE(from.oldest(evil));
  for (const auto& asked : database_.asked) EXPECT_THAT(asked.sql, Not(HasSubstr("DROP")));
  EXPECT_THAT(database_.asked[1].parameters,
              ElementsAre(evil, evil, "1780000000000000", "1780000060000000", "10000000000"));
}

TEST_F(DatabaseReaderTest, ListsMachines) {
  database_.answers.emplace_back(
      "FROM gpukeeper.host",
      ScriptedDatabase::Table{{"a", "8", "1780000000000000", "1780000001500000"}, {"b", "0", {}, {}}});
  const auto hosts = reader().hosts();
  ASSERT_TRUE(hosts);
  ASSERT_EQ(hosts->size(), 2u);
  EXPECT_EQ((*hosts)[0].devices, 8u);
  EXPECT_EQ((*hosts)[0].last, kThen + 1500ms);
  EXPECT_EQ((*hosts)[1].first, std::nullopt);
}

TEST_F(DatabaseReaderTest, PartitionsStandInTheirDevices) {
  const ScriptedDatabase::Table rows = {
      {"GPU-new", "0", {}, "H100", "nvidia", {}, {}, "nvml", "f", "f", "1780000000000000"},
      {"GPU-old", "0", {}, "H100", "nvidia", {}, {}, "nvml", "f", "f", "1770000000000000"},
      {"MIG-b", "1", "1", "H200", "nvidia", "GPU-b", "1g.10gb", "nvml", "f", "f", "1780000000000000"},
      {"GPU-b", "1", {}, "H200", "nvidia", {}, {}, "nvml", "t", "f", "1780000000000000"},
      {"MIG-a", "1", "0", "H200", "nvidia", "GPU-b", "1g.10gb", "nvml", "f", "f", {}},
      {"MIG-lost", "7", "0", "H200", "nvidia", "GPU-nowhere", "1g.10gb", "nvml", "f", "f", {}}};
  database_.answers.emplace_back("to_jsonb(d) ->> 'partition_index'", rows);
  const auto devices = as_snapshots(*reader().devices("node"));
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].device->id.text, "GPU-new");  // of two that were there the latest
  EXPECT_TRUE(devices[2].device->simulated);
  ASSERT_EQ(devices[2].partitions.size(), 2u);
  EXPECT_EQ(devices[2].partitions[0].device->id.text, "MIG-a");
  EXPECT_EQ(devices[2].partitions[1].index, 1u);
  EXPECT_EQ(devices[2].partitions[1].parent_index, 1u);
}

TEST_F(DatabaseReaderTest, KnowsHowOftenAMachineWrites) {
  EXPECT_EQ(*reader().pace("node"), std::nullopt);
  database_.answers.emplace_back(
      "to_jsonb(d)",
      ScriptedDatabase::Table{{"GPU-a", "0", {}, "H100", "nvidia", {}, {}, "nvml", "f", "f", "1780000000000000"}});
  database_.answers.emplace_back(
      "ORDER BY taken_at DESC",
      ScriptedDatabase::Table{{"1780000030000000"}, {"1780000020000000"}, {"1780000010000000"}, {"1780000000000000"}});
  EXPECT_EQ(*reader().pace("node"), 10s);
}

TEST_F(DatabaseReaderTest, TellsWhatTheServerSaid) {
  database_.refuses = [](const std::string& sql) -> std::optional<Error> {
    if (sql.find("GROUP BY piece") == std::string::npos) return std::nullopt;
    return Error{Errc::deadline_exceeded, "database x: canceling statement due to statement timeout (SQLSTATE 57014)"};
  };
  auto from = reader();
  EXPECT_EQ(from.read("node", query({"power_watts"}), [](auto...) {}).error().code, Errc::deadline_exceeded);
}

}  // namespace
}  // namespace gpukeeper::postgres
