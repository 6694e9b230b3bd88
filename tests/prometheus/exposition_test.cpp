#include "prometheus/exposition.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

std::string one_line(const Family& family, Syntax syntax) {
  Exposition out(syntax);
  out.begin(family);
  out.add({}, 1U);
  return std::move(out).finish();
}

TEST(ExpositionTest, WritesAGaugeInBothFormats) {
  const Family family("power_watts", gauge, "watts", "Power draw.");
  EXPECT_EQ(one_line(family, Syntax::text),
            "# HELP power_watts Power draw.\n"
            "# TYPE power_watts gauge\n"
            "power_watts 1\n");
  EXPECT_EQ(one_line(family, Syntax::openmetrics),
            "# TYPE power_watts gauge\n"
            "# UNIT power_watts watts\n"
            "# HELP power_watts Power draw.\n"
            "power_watts 1\n"
            "# EOF\n");
}

TEST(ExpositionTest, OpenMetricsNamesACountersFamilyWithoutItsSuffix) {
  const Family family("energy_joules_total", counter, "joules", "Energy.");
  EXPECT_EQ(one_line(family, Syntax::text),
            "# HELP energy_joules_total Energy.\n"
            "# TYPE energy_joules_total counter\n"
            "energy_joules_total 1\n");
  EXPECT_EQ(one_line(family, Syntax::openmetrics),
            "# TYPE energy_joules counter\n"
            "# UNIT energy_joules joules\n"
            "# HELP energy_joules Energy.\n"
            "energy_joules_total 1\n"
            "# EOF\n");
}

TEST(ExpositionTest, ACounterOfAForeignNameKeepsItsNameAndIsOfUnknownTypeInOpenMetrics) {
  const Family family("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", counter, "", "Energy.");
  EXPECT_EQ(one_line(family, Syntax::openmetrics),
            "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION unknown\n"
            "# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Energy.\n"
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION 1\n"
            "# EOF\n");
}

TEST(ExpositionTest, AnInfoIsAGaugeWhereThereAreNoInfos) {
  const Family family("gpu_info", info, "", "A GPU.");
  EXPECT_EQ(one_line(family, Syntax::text), "# HELP gpu_info A GPU.\n# TYPE gpu_info gauge\ngpu_info 1\n");
  EXPECT_EQ(one_line(family, Syntax::openmetrics), "# TYPE gpu info\n# HELP gpu A GPU.\ngpu_info 1\n# EOF\n");
}

TEST(ExpositionTest, HelpIsEscapedAsEachFormatWants) {
  const Family family("a", gauge, "", "one \\ two \"three\"\nfour");
  EXPECT_EQ(family.head(Syntax::text), "# HELP a one \\\\ two \"three\"\\nfour\n# TYPE a gauge\n");
  EXPECT_EQ(family.head(Syntax::openmetrics), "# TYPE a gauge\n# HELP a one \\\\ two \\\"three\\\"\\nfour\n");
}

TEST(ExpositionTest, AFamilyWithoutLinesLeavesNothing) {
  const Family none("none", gauge, "", "None.");
  const Family one("one", gauge, "", "One.");
  Exposition out(Syntax::text);
  out.begin(none);
  out.begin(one);
  out.add("gpu=\"0\"", 2.5);
  out.begin(none);
  EXPECT_EQ(std::move(out).finish(), "# HELP one One.\n# TYPE one gauge\none{gpu=\"0\"} 2.5\n");
}

TEST(ExpositionTest, WhatIsNoNumberIsNoLine) {
  const Family family("a", gauge, "", "A.");
  Exposition out(Syntax::text);
  out.begin(family);
  out.add({}, std::numeric_limits<double>::quiet_NaN());
  out.add({}, std::numeric_limits<double>::infinity());
  out.add({}, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(std::move(out).finish(), "");
}

TEST(ExpositionTest, NumbersHaveTwelveDigitsWhereTheyAreNotWhole) {
  const Family family("a", gauge, "", "A.");
  Exposition out(Syntax::text);
  out.begin(family);
  for (const double value : {0.0, -3.5, 0.29, 1980e6, 97.4 / 100, 1780000000.25, 1e300, 612.345678, 1e-12})
    out.add({}, value);
  out.add({}, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(std::move(out).finish(),
            "# HELP a A.\n# TYPE a gauge\na 0\na -3.5\na 0.29\na 1980000000\na 0.974\n"
            "a 1780000000.25\na 1e+300\na 612.345678\na 1e-12\n"
            "a 18446744073709551615\n");
}

TEST(ExpositionTest, JoinsLabels) {
  const Family family("a", gauge, "", "A.");
  Exposition out(Syntax::text);
  out.begin(family);
  out.add("b=\"1\"", "c=\"2\"", 3U);
  out.add({}, "c=\"2\"", 3U);
  EXPECT_EQ(std::move(out).finish(), "# HELP a A.\n# TYPE a gauge\na{b=\"1\",c=\"2\"} 3\na{c=\"2\"} 3\n");
}

TEST(ExpositionTest, SaysItsContentType) {
  EXPECT_EQ(content_type(Syntax::text), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(Syntax::openmetrics), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace gpukeeper::prometheus
