#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"

// Charts as SVG, made here for every page: reports, `why`. They bring no colours of their own but classes, which the
// style of the page (page.hpp) gives for light, dark and paper; each has a title and a description for who does not
// see it, and says in words what colours say. Texts may hold anything.
namespace gpukeeper::report {

/// What every chart has.
struct ChartHead {
  std::string id;           ///< unique in the page; letters, digits, '-'
  std::string title;        ///< what it shows
  std::string description;  ///< what is to be seen, in a sentence or two
};

/// The axis of time that charts share.
struct TimeAxis {
  WallTime from{};
  std::chrono::seconds column{1};
  std::size_t columns = 0;
  std::chrono::seconds utc_offset{0};  ///< of the reader

  WallTime start_of(std::size_t n) const { return from + column * static_cast<std::int64_t>(n); }
};

/// Columns of amounts that stand on each other. At most eight series; colours go by their order.
struct StackedColumns {
  struct Series {
    std::string name;
    std::vector<double> values;  ///< a column each, from 0 on
    bool grey = false;           ///< what is nobody's, or everybody else's
  };
  ChartHead head;
  TimeAxis time;
  std::string unit;  ///< behind values: "kWh"
  std::vector<Series> series;
};
std::string draw(const StackedColumns& chart);

/// Rows of cells, the fuller the darker; one that is absent is hatched.
struct HeatMap {
  struct Row {
    std::string name;
    std::vector<std::optional<double>> values;  ///< 0 to 100
  };
  ChartHead head;
  TimeAxis time;
  std::string unit;  ///< "%"
  std::vector<Row> rows;
};
std::string draw(const HeatMap& chart);

/// A curve of averages with the highest values above it, and lines that matter.
struct Curve {
  struct Point {
    double average = 0;
    double highest = 0;
  };
  struct Line {
    std::string name;
    double value = 0;
  };
  ChartHead head;
  TimeAxis time;
  std::string unit;
  std::vector<std::optional<Point>> points;  ///< a column each; an absent one is a gap
  std::vector<Line> lines;
  bool from_zero = false;  ///< the axis begins at 0; else near the lowest value
  double least_span = 0;   ///< of the axis: so that what hardly moves looks so
  int colour = 0;          ///< which of the eight
};
std::string draw(const Curve& chart);

/// A value on its scale, with marks.
struct Meter {
  struct Mark {
    std::string name;
    double value = 0;
  };
  ChartHead head;
  double value = 0;
  double most = 100;
  std::string text;  ///< the value in words: "71 °C"
  std::vector<Mark> marks;
  std::string tone;  ///< a class of the style: "good", "notice", "bad", or "" for none
};
std::string draw(const Meter& chart);

}  // namespace gpukeeper::report
