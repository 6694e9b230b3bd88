#include "push/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prometheus/exposition.hpp"
#include "prometheus/labels.hpp"

namespace gpukeeper::push {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr std::string_view kText =
    "# HELP a_celsius How hot.\n# TYPE a_celsius gauge\na_celsius{gpu=\"0\",uuid=\"GPU-a\"} 64\na_celsius{gpu=\"1\"} "
    "65.5\n"
    "# HELP b_total Counted.\n# TYPE b_total counter\nb_total 7\n"
    "# HELP c_seconds Lasted.\n# TYPE c_seconds histogram\nc_seconds_bucket{le=\"0.1\"} "
    "2\nc_seconds_bucket{le=\"+Inf\"} 3\n"
    "c_seconds_sum 0.5\nc_seconds_count 3\n";

TEST(SamplesTest, ReadsWhatWeWrite) {
  const auto families = parse_metrics(kText);
  ASSERT_EQ(families.size(), 3U);
  EXPECT_EQ(families[0].name, "a_celsius");
  EXPECT_EQ(families[0].help, "How hot.");
  EXPECT_EQ(families[0].type, Family::Type::gauge);
  ASSERT_EQ(families[0].samples.size(), 2U);
  EXPECT_THAT(families[0].samples[0].labels, ElementsAre(Pair("gpu", "0"), Pair("uuid", "GPU-a")));
  EXPECT_EQ(families[0].samples[1].value, 65.5);
  EXPECT_EQ(families[1].type, Family::Type::counter);
  EXPECT_EQ(families[1].samples[0].value, 7);
  EXPECT_EQ(families[2].type, Family::Type::histogram);
  ASSERT_EQ(families[2].samples.size(), 4U);
  EXPECT_EQ(families[2].samples[1].name, "c_seconds_bucket");
  EXPECT_THAT(families[2].samples[1].labels, ElementsAre(Pair("le", "+Inf")));
}

// What a driver or a process calls itself comes back as it was, but for what no label may hold.
TEST(SamplesTest, HostileLabelsComeBackWhole) {
  const std::string name = "a\"} 1 evil{x=\"\\\\,y=";
  const prometheus::Family family("a_info", prometheus::FamilyType::info, "", "A \\ and\na line.");
  prometheus::Exposition out(prometheus::Syntax::text);
  out.begin(family);
  out.add(prometheus::label("name", name), 1U);
  const auto families = parse_metrics(std::move(out).finish());
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].help, "A \\ and\na line.");
  ASSERT_EQ(families[0].samples.size(), 1U);
  EXPECT_THAT(families[0].samples[0].labels, ElementsAre(Pair("name", name)));
}

TEST(SamplesTest, WhatIsNoLineIsLeftOut) {
  for (const char* const text :
       {"", "a 1", "# TYPE a gauge\na\na{\na{b\na{b=\"\na{b=\"c\"\na x\n 1\n", "# TYPE ", "#", "# HELP"}) {
    std::size_t samples = 0;
    for (const Family& family : parse_metrics(text)) samples += family.samples.size();
    EXPECT_EQ(samples, 0U) << text;
  }
}

TEST(SamplesTest, ASeriesKeepsItsOwnLabelOfThatName) {
  auto families = parse_metrics("# TYPE a gauge\na{job=\"mine\"} 1\na 2\n");
  add_labels(families, with_instance({"cluster=x"}, "node-1"));
  EXPECT_THAT(families[0].samples[0].labels,
              ElementsAre(Pair("cluster", "x"), Pair("instance", "node-1"), Pair("job", "mine")));
  EXPECT_THAT(families[0].samples[1].labels,
              ElementsAre(Pair("cluster", "x"), Pair("instance", "node-1"), Pair("job", "gpukeeper")));
}

TEST(SamplesTest, AConfiguredLabelStandsAboveTheUsualOne) {
  auto families = parse_metrics("# TYPE a gauge\na 1\n");
  add_labels(families, with_instance({"instance=rack-7"}, "node-1"));
  EXPECT_THAT(families[0].samples[0].labels, ElementsAre(Pair("instance", "rack-7"), Pair("job", "gpukeeper")));
}

}  // namespace
}  // namespace gpukeeper::push
