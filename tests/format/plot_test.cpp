#include "format/plot.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/display_text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const WallTime kBegin{std::chrono::seconds(1'780'000'000)};  // 2026-05-28 20:26:40 UTC

PlotOptions options(std::size_t width, std::size_t height, std::chrono::seconds length = 600s) {
  return {.width = width, .height = height, .from = kBegin, .to = kBegin + length, .unit = "celsius", .top = {}};
}

std::vector<std::optional<PlotColumn>> columns(const PlotOptions& o, double (*value)(double)) {
  std::vector<std::optional<PlotColumn>> result;
  const std::size_t count = plot_columns(o);
  for (std::size_t i = 0; i < count; ++i) {
    const double v = value(static_cast<double>(i) / static_cast<double>(count - 1));
    result.push_back(PlotColumn{v, v});
  }
  return result;
}

TEST(PlotTest, ARampInBraille) {
  const auto o = options(38, 4);
  EXPECT_THAT(plot(columns(o, [](double x) { return 40 + 50 * x; }), o),
              ElementsAre("   100 ┤                           ⢀⣀⡠", "    80 ┤                  ⣀⣀⡠⠤⠔⠒⠒⠉⠉⠁",
                          "    60 ┤        ⢀⣀⣀⠤⠤⠒⠒⠊⠉⠉", "    40 ┤⣀⡠⠤⠤⠒⠒⠉⠉⠁", "       └──────────┬──────────────┬────",
                          "                  20:30          20:35"));
}

TEST(PlotTest, ARampWithoutUtf8) {
  auto o = options(38, 4);
  o.utf8 = false;
  EXPECT_THAT(plot(columns(o, [](double x) { return 40 + 50 * x; }), o),
              ElementsAre("   100 +                             *", "    80 +                  ***********",
                          "    60 +      ************", "    40 +******", "       +----------+--------------+----",
                          "                  20:30          20:35"));
}

TEST(PlotTest, APercentageIsOnItsWholeScale) {
  auto o = options(38, 4);
  o.unit = "percent";
  o.top = 100;
  EXPECT_THAT(plot(columns(o, [](double) { return 97.0; }), o),
              ElementsAre("   100 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉", "    50 ┤", "       │", "     0 ┤",
                          "       └──────────┬──────────────┬────", "                  20:30          20:35"));
}

TEST(PlotTest, WhatIsAbsentStaysEmpty) {
  auto o = options(38, 3);
  auto values = columns(o, [](double) { return 50.0; });
  std::fill(values.begin() + 20, values.begin() + 40, std::nullopt);
  EXPECT_THAT(plot(values, o),
              ElementsAre("  51.0 ┤", "  50.5 ┤", "  50.0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀          ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
                          "       └──────────┬──────────────┬────", "                  20:30          20:35"));
  for (auto& value : values) value.reset();
  for (const std::string& line : plot(values, o)) EXPECT_EQ(line.find("⣀"), std::string::npos);
}

TEST(PlotTest, AShortPeakIsNotLost) {
  const auto o = options(38, 4);
  auto values = columns(o, [](double) { return 40.0; });
  values[30] = PlotColumn{40, 90};
  const auto lines = plot(values, o);
  EXPECT_NE(lines.front().find_first_not_of(" 0123456789.┤"), std::string::npos);
}

TEST(PlotTest, NoLineIsWiderThanThePage) {
  for (const std::size_t width : {1u, 20u, 33u, 80u, 200u}) {
    for (const auto length : {1s, 10s, 599s, 3600s, 86'400s, 604'800s}) {
      for (const bool utf8 : {true, false}) {
        auto o = options(width, 5, length);
        o.utf8 = utf8;
        for (const std::string& line : plot(columns(o, [](double x) { return 1e6 * std::sin(9 * x); }), o)) {
          EXPECT_LE(display_width(line), std::max<std::size_t>(width, 18)) << line;
        }
      }
    }
  }
}

TEST(PlotTest, TimesAreTheReaders) {
  auto o = options(60, 3, 7200s);
  o.utc_offset = 2h;
  const auto lines = plot(columns(o, [](double x) { return x; }), o);
  EXPECT_EQ(lines.back(), "         22:30        23:00        23:30        00:00");
}

TEST(PlotTest, NothingButZerosIsNoThousandths) {
  const auto lines = plot(std::vector<std::optional<PlotColumn>>(10, PlotColumn{0, 0}), {.height = 5, .unit = "bytes"});
  EXPECT_TRUE(lines.front().starts_with("   1.0 ┤")) << lines.front();
  EXPECT_TRUE(lines[4].starts_with("   0.0 ┤")) << lines[4];
}

TEST(PlotTest, OddValuesDoNoHarm) {
  const auto o = options(40, 4);
  for (const double value : {0.0, -40.0, 1e300, 1e-300, 5e-324}) {
    std::vector<std::optional<PlotColumn>> same(plot_columns(o), PlotColumn{value, value});
    EXPECT_EQ(plot(same, o).size(), 6u) << value;
    same[0] = PlotColumn{-value, value};
    EXPECT_EQ(plot(same, o).size(), 6u) << value;
  }
  EXPECT_EQ(plot({}, o).size(), 6u);
}

TEST(PlotTest, UnitsAreShort) {
  const auto sign = [](std::string_view unit, double highest) { return plot_unit(unit, highest).sign; };
  EXPECT_EQ(sign("celsius", 90), "°C");
  EXPECT_EQ(plot_unit("celsius", 90, false).sign, "C");
  EXPECT_EQ(sign("percent", 90), "%");
  EXPECT_EQ(sign("bytes", 1023), "B");
  EXPECT_EQ(sign("bytes", 1024), "KiB");
  EXPECT_EQ(sign("bytes", 80e9), "GiB");
  EXPECT_EQ(plot_unit("bytes", 80e9).divisor, 1 << 30);
  EXPECT_EQ(sign("bytes/second", 5e6), "MiB/s");
  EXPECT_EQ(sign("bytes", 1e30), "TiB");
  EXPECT_EQ(sign("", 5), "");
}

}  // namespace
}  // namespace gpukeeper
