#include "format/columns_text.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

TEST(CsvTest, FieldsAreQuotedAsRfc4180Says) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("software power cap, thermal limit"), "\"software power cap, thermal limit\"");
  EXPECT_EQ(csv_field("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(""), "");
}

TEST(CsvTest, TheHeadNamesIdentityAndEveryMetric) {
  const std::string head = csv_header();
  EXPECT_TRUE(
      head.starts_with("taken_at,index,uuid,vendor,name,partition,source,simulated,recorded,available,state,"
                       "governed_state,reason,temperature_celsius,"))
      << head;
  EXPECT_EQ(split(head, ',').size(), identity_table().size() + metric_table().size());
  EXPECT_TRUE(head.ends_with("\n"));
}

TEST(CsvTest, EveryDeviceAndPartitionIsARowAndAbsentIsEmpty) {
  const std::string rows = csv_rows(split_gpu());
  const auto all = lines(rows);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(
      all[0].starts_with("2026-05-28T20:26:40.250Z,0,GPU-aaaa,nvidia,NVIDIA A100-SXM4-80GB,,nvml,false,false,"
                         "true,optimal,unavailable,,64,,"))
      << all[0];
  EXPECT_TRUE(all[2].starts_with("2026-05-28T20:26:40.250Z,0:1,MIG-1,nvidia,")) << all[2];
  for (const auto line : all) EXPECT_EQ(split(line, ',').size(), identity_table().size() + metric_table().size());
}

TEST(QueryTest, GivesValuesOnlyALineADeviceInTheOrderAsked) {
  const std::vector<ColumnKey> keys{*find_key("index"), *find_key("power_watts"), *find_key("memory_used_bytes"),
                                    *find_key("throttle_reasons")};
  EXPECT_EQ(query_lines(four_gpus(), keys),
            "0\t612.346\t65011712000\tnone\n"
            "1\t612.346\t82837504000\tsoftware power cap\n"
            "2\t-\t-\t-\n"
            "3\t-\t-\t-\n");
}

TEST(QueryTest, AValueNeverBreaksItsLine) {
  Snapshot snapshot = machine({device(0, facts("GPU-a", "evil\nname\t\x1b[2J", "0000:01:00.0"), busy())});
  const std::vector<ColumnKey> keys{*find_key("name")};
  EXPECT_EQ(query_lines(snapshot, keys), "evil?name??[2J\n");
}

}  // namespace
}  // namespace gpukeeper
