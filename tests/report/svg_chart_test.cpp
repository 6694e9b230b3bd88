#include "report/svg_chart.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "report/svg_parts.hpp"

namespace gpukeeper::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TimeAxis day() {
  return {.from = kThen, .column = 10min, .columns = 144, .utc_offset = 0s};
}

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(SvgChartTest, ScalesHaveRoundMarks) {
  const auto is = [](double low, double high, double step, const Scale& scale) {
    EXPECT_DOUBLE_EQ(scale.low, low);
    EXPECT_DOUBLE_EQ(scale.high, high);
    EXPECT_DOUBLE_EQ(scale.step, step);
  };
  is(0, 4, 1, scale_over(0, 3.7, 5));
  is(0, 1, 0.5, scale_over(0, 0, 2));
  is(70, 80, 5, scale_over(71, 79, 2));
}

TEST(SvgChartTest, HeatMapHatchesWhatWasNotMeasured) {
  HeatMap map{.head = {.id = "use", .title = "Use", .description = "d"},
              .time = {.from = kThen, .column = 1h, .columns = 3},
              .unit = "%",
              .rows = {{.name = "GPU 0", .values = {0.0, std::nullopt, 100.0}}}};
  const std::string svg = draw(map);
  EXPECT_THAT(svg, HasSubstr("<title>GPU 0 2026-05-28 20:26: 0 %</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>GPU 0 2026-05-28 21:26: not measured</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>GPU 0 2026-05-28 22:26: 100 %</title>"));
  EXPECT_EQ(occurrences(svg, "class=\"absent\""), 2u) << "the cell and its key";
}

TEST(SvgChartTest, ACurveHasAGapWhereNothingWasMeasured) {
  Curve curve{
      .head = {.id = "t", .title = "T", .description = "d"},
      .time = {.from = kThen, .column = 1min, .columns = 5},
      .unit = "°C",
      .points = {Curve::Point{50, 55}, Curve::Point{51, 51}, std::nullopt, Curve::Point{60, 60}, Curve::Point{61, 61}},
      .lines = {{"slowdown", 90}}};
  const std::string svg = draw(curve);
  const auto path = svg.substr(svg.find("class=\"curve"));
  EXPECT_EQ(occurrences(path.substr(0, path.find("/>")), "M"), 2u) << "two pieces";
  EXPECT_THAT(svg, HasSubstr("not measured"));
  EXPECT_THAT(svg, HasSubstr(">slowdown</text>"));
}

TEST(SvgChartTest, StackedColumnsStandOnEachOther) {
  StackedColumns chart{.head = {.id = "e", .title = "E", .description = "d"},
                       .time = {.from = kThen, .column = 1h, .columns = 2},
                       .unit = "kWh",
                       .series = {{"mara", {1, 2}}, {"ana", {3, 0}}, {"nobody", {0, 2}, true}}};
  const std::string svg = draw(chart);
  EXPECT_THAT(svg, HasSubstr("2026-05-28 20:26\nmara: 1.0 kWh\nana: 3.0 kWh"));
  EXPECT_THAT(svg, HasSubstr("2026-05-28 21:26\nmara: 2.0 kWh\nnobody: 2.0 kWh"));
  EXPECT_THAT(svg, HasSubstr("class=\"grey\""));
}

TEST(SvgChartTest, TimeMarksAreTheReadersAndDoNotOverlap) {
  const Frame frame{.width = 960, .height = 300, .left = 56, .right = 950, .top = 28, .bottom = 228};
  TimeAxis axis = day();
  axis.utc_offset = 2h;
  const std::string svg = time_axis(axis, frame, 9);
  EXPECT_LE(occurrences(svg, "<text"), 10u);
  EXPECT_THAT(svg, HasSubstr(">05-29<")) << "midnight has its date";
  EXPECT_THAT(svg, HasSubstr(">03:00<"));
  EXPECT_THAT(svg, Not(HasSubstr(">22:26<")));
}

TEST(SvgChartTest, NothingToDrawIsDrawnWithoutNonsense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      draw(StackedColumns{.head = {.id = "e", .title = "E", .description = ""}}) +
      draw(HeatMap{.head = {.id = "h", .title = "H", .description = ""}}) +
      draw(Curve{.head = {.id = "c", .title = "C", .description = ""}, .time = day(), .points = {std::nullopt}}) +
      draw(Meter{.head = {.id = "m", .title = "M", .description = ""}, .value = nan, .most = 0});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgChartTest, TextsAreEscaped) {
  const std::string evil = "<script>\"'&";
  const std::string svg = draw(Meter{
      .head = {.id = evil, .title = evil, .description = evil}, .text = evil, .marks = {{evil, 50}}, .tone = evil});
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&quot;&#39;&amp;"));
}

}  // namespace
}  // namespace gpukeeper::report
