#include "backend/simulated/curve.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "backend/simulated/scenario.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::simulated {
namespace {

using namespace yaml;

double number_at(const Curve& curve, double seconds) {
  return *to_number(curve.at(seconds, 1));
}

TEST(CurveTest, ALineIsStraightBetweenItsPointsAndLevelOutside) {
  const Curve curve{Curve::Line{{{10, 40}, {20, 80}, {40, 60}}}};
  EXPECT_EQ(number_at(curve, 0), 40);
  EXPECT_EQ(number_at(curve, 15), 60);
  EXPECT_EQ(number_at(curve, 20), 80);
  EXPECT_EQ(number_at(curve, 30), 70);
  EXPECT_EQ(number_at(curve, 1000), 60);
}

TEST(CurveTest, AStepHoldsUntilTheNextAndMayBeAbsent) {
  const Curve curve{Curve::Steps{{{5, MetricValue(std::string("P8"))}, {10, missing(Missing::not_supported)}}}};
  EXPECT_EQ(curve.at(0, 1), Curve::Value(MetricValue(std::string("P8"))));
  EXPECT_EQ(curve.at(9.9, 1), Curve::Value(MetricValue(std::string("P8"))));
  EXPECT_EQ(curve.at(10, 1), Curve::Value(missing(Missing::not_supported)));
}

TEST(CurveTest, ASineSwingsAroundItsMean) {
  const Curve curve{Curve::Sine{50, 20, 60, 15}};
  EXPECT_DOUBLE_EQ(number_at(curve, 0), 70);
  EXPECT_NEAR(number_at(curve, 15), 50, 1e-9);
  EXPECT_DOUBLE_EQ(number_at(curve, 30), 30);
}

TEST(CurveTest, ACurveThatRepeatsStartsOver) {
  Curve curve{Curve::Line{{{0, 0}, {60, 60}}}};
  curve.repeat = 100;
  EXPECT_DOUBLE_EQ(number_at(curve, 330), 30);
  EXPECT_EQ(number_at(curve, 390), 60);
}

TEST(CurveTest, NoiseDependsOnKeyAndSecondAloneAndIsNormal) {
  Curve curve{Curve::Value(MetricValue(50.0))};
  curve.jitter = 2;
  EXPECT_EQ(curve.at(7.1, 1), curve.at(7.9, 1));
  EXPECT_NE(curve.at(7, 1), curve.at(8, 1));
  EXPECT_NE(curve.at(7, 1), curve.at(7, 2));
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const double off = number_at(curve, i) - 50;
    EXPECT_LE(std::abs(off), 6);
    sum += off;
    squares += off * off;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.05);
  EXPECT_NEAR(std::sqrt(squares / kCount), 2, 0.05);
}

TEST(WindowTest, HoldsFromItsStartForItsDurationAndAgain) {
  const Window once{10, 5, std::nullopt};
  EXPECT_FALSE(once.holds(9.9));
  EXPECT_TRUE(once.holds(10));
  EXPECT_FALSE(once.holds(15));
  EXPECT_FALSE(once.holds(25));
  const Window again{10, 5, 20};
  EXPECT_FALSE(again.holds(5));
  EXPECT_TRUE(again.holds(34.9));
  EXPECT_FALSE(again.holds(35));
  const Window for_ever{10, std::nullopt, std::nullopt};
  EXPECT_TRUE(for_ever.holds(1e9));
}

TEST(DurationTest, IsReadInTheUnitsPeopleWrite) {
  EXPECT_EQ(parse_duration("90s"), 90);
  EXPECT_EQ(parse_duration("5m"), 300);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("250ms"), 0.25);
  EXPECT_EQ(parse_duration("1.5h"), 5400);
  EXPECT_EQ(parse_duration("2d"), 172800);
  for (const auto* wrong : {"", "90", "s", "5 m", "-5s", "5x", "1h30", "1e9s", "99999d", "1..2s", "nan"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(SizeTest, IsReadInBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("80GiB"), 85899345920u);
  EXPECT_EQ(parse_size("512 MiB"), 536870912u);
  EXPECT_EQ(parse_size("24GB"), 24000000000u);
  EXPECT_EQ(parse_size("1.5KiB"), 1536u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  for (const auto* wrong : {"", "GiB", "-1GiB", "80G", "80gib", "9000000TiB", "1e3"}) {
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace gpukeeper::simulated
