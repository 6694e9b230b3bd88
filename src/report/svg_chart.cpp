#include "report/svg_chart.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "report/markup.hpp"
#include "report/svg_parts.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

constexpr std::size_t kColours = 8;
constexpr std::size_t kLongestName = 28;  // columns, in a legend

std::string colour_of(const StackedColumns::Series& series, std::size_t place) {
  return series.grey ? "grey" : fmt::format("c{}", place % kColours);
}

// The names beside their colours, in as many lines as they need; `y` is then below the last.
std::string legend(const StackedColumns& chart, const Frame& frame, double& y) {
  constexpr double kLetter = 7.4;
  std::string text;
  double x = frame.left;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const std::string name = fit(harmless(chart.series[i].name), kLongestName);
    const double width = 34 + kLetter * static_cast<double>(display_width(name));
    if (x > frame.left && x + width > frame.width) {
      x = frame.left;
      y += 20;
    }
    text += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\"/>",
                        colour_of(chart.series[i], i), x, y - 11);
    text += label(x + 17, y, name);
    x += width;
  }
  return text + "\n";
}

double sum_at(const StackedColumns& chart, std::size_t column) {
  double sum = 0;
  for (const auto& series : chart.series) {
    if (column < series.values.size()) sum += series.values[column];
  }
  return sum;
}

// One shape a series: a box in each column, on top of those below.
std::string stacked_boxes(const StackedColumns& chart, const Frame& frame, const Scale& scale) {
  const double width = column_width(chart.time, frame);
  const double gap = width > 4 ? 1 : 0;
  std::vector<double> below(chart.time.columns);
  std::string text;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    std::string path;
    for (std::size_t n = 0; n < std::min(below.size(), chart.series[i].values.size()); ++n) {
      const double value = chart.series[i].values[n];
      if (!(value > 0)) continue;
      const double bottom = height_of(below[n], scale, frame), top = height_of(below[n] + value, scale, frame);
      below[n] += value;
      path += fmt::format("M{:.1f} {:.1f}h{:.1f}V{:.1f}h{:.1f}z", frame.left + static_cast<double>(n) * width, bottom,
                          width - gap, top, gap - width);
    }
    if (!path.empty()) text += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", colour_of(chart.series[i], i), path);
  }
  return text;
}

std::string stacked_hints(const StackedColumns& chart, const Frame& frame) {
  const double width = column_width(chart.time, frame);
  std::string text;
  for (std::size_t n = 0; n < chart.time.columns; ++n) {
    std::string words = moment(chart.time, n);
    for (const auto& series : chart.series) {
      if (n >= series.values.size() || !(series.values[n] > 0)) continue;
      words += fmt::format("\n{}: {} {}", escaped(fit(harmless(series.name), kLongestName)), amount(series.values[n]),
                           escaped(chart.unit));
    }
    text += hint(frame.left + static_cast<double>(n) * width, frame.top, width, frame.plot_height(), words);
  }
  return text;
}

std::string heat_row(const HeatMap& chart, const HeatMap::Row& row, const Frame& frame, double y, double height) {
  const double width = column_width(chart.time, frame);
  std::string text;
  for (std::size_t n = 0; n < std::min(chart.time.columns, row.values.size()); ++n) {
    const auto& value = row.values[n];
    const double x = frame.left + static_cast<double>(n) * width;
    const std::string words = fmt::format("{} {}: {}", escaped(row.name), moment(chart.time, n),
                                          value ? amount(*value) + " " + escaped(chart.unit) : "not measured");
    // A little of the colour even at 0: it was looked at.
    const std::string look = value ? fmt::format("class=\"heat\" fill-opacity=\"{:.2f}\"",
                                                 0.05 + 0.95 * std::clamp(*value, 0.0, 100.0) / 100)
                                   : "class=\"absent\"";
    text +=
        fmt::format("<rect {} x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\"><title>{}</title></rect>",
                    look, x, y, width, height, words);
  }
  return text + "\n";
}

std::string heat_key(const Frame& frame, double y, std::string_view unit) {
  constexpr double kCell = 22;
  std::string text = label(frame.left, y, fmt::format("0 {}", unit));
  double x = frame.left + 34;
  for (int i = 0; i <= 4; ++i, x += kCell) {
    text += fmt::format(
        "<rect class=\"heat\" fill-opacity=\"{:.2f}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"12\"/>",
        0.05 + 0.95 * i / 4, x, y - 11, kCell);
  }
  text += label(x + 6, y, fmt::format("100 {}", unit));
  x += 70;
  text += fmt::format("<rect class=\"absent\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"12\"/>", x, y - 11,
                      kCell);
  return text + label(x + kCell + 6, y, "not measured") + "\n";
}

Scale scale_of(const Curve& chart) {
  std::optional<double> low, high;
  const auto take = [&](double from, double to) {
    low = std::min(low.value_or(from), from);
    high = std::max(high.value_or(to), to);
  };
  for (const auto& point : chart.points) {
    if (point) take(point->average, std::max(point->average, point->highest));
  }
  for (const Curve::Line& each : chart.lines) take(each.value, each.value);
  double bottom = chart.from_zero ? 0 : low.value_or(0), top = high.value_or(1);
  const double lacking = chart.least_span - (top - bottom);
  if (lacking > 0) {
    bottom -= chart.from_zero ? 0 : lacking / 2;
    top += chart.from_zero ? lacking : lacking / 2;
  }
  return scale_over(std::min(bottom, top), top, 4);
}

// The averages as a line, and from there to the highest as a band; a gap where nothing was measured.
std::string curve_shapes(const Curve& chart, const Frame& frame, const Scale& scale) {
  const double width = column_width(chart.time, frame);
  std::string curve, band;
  bool drawing = false;
  for (std::size_t n = 0; n < std::min(chart.time.columns, chart.points.size()); ++n) {
    const auto& point = chart.points[n];
    if (!point) {
      drawing = false;
      continue;
    }
    const double left = frame.left + static_cast<double>(n) * width;
    const double y = height_of(point->average, scale, frame), top = height_of(point->highest, scale, frame);
    curve += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", left + width / 2, y);
    // A single point is a line of no length, which round ends make a dot.
    if (!drawing) curve += "h0";
    if (top < y) band += fmt::format("M{:.1f} {:.1f}h{:.1f}V{:.1f}h{:.1f}z", left, y, width, top, -width);
    drawing = true;
  }
  std::string text;
  if (!band.empty()) text += fmt::format("<path class=\"band c{}\" d=\"{}\"/>\n", chart.colour, band);
  if (!curve.empty()) text += fmt::format("<path class=\"curve l{}\" d=\"{}\"/>\n", chart.colour, curve);
  return text;
}

std::string curve_hints(const Curve& chart, const Frame& frame) {
  const double width = column_width(chart.time, frame);
  const std::string unit = escaped(chart.unit);
  std::string text;
  for (std::size_t n = 0; n < std::min(chart.time.columns, chart.points.size()); ++n) {
    const auto& point = chart.points[n];
    const std::string words = point ? fmt::format("{} {} on average, at most {} {}", amount(point->average), unit,
                                                  amount(point->highest), unit)
                                    : "not measured";
    text += hint(frame.left + static_cast<double>(n) * width, frame.top, width, frame.plot_height(),
                 fmt::format("{}: {}", moment(chart.time, n), words));
  }
  return text + "\n";
}

}  // namespace

std::string draw(const StackedColumns& chart) {
  Frame frame{.width = 960, .height = 300, .left = 56, .right = 950, .top = 28, .bottom = 228};
  double highest = 0;
  for (std::size_t n = 0; n < chart.time.columns; ++n) highest = std::max(highest, sum_at(chart, n));
  const Scale scale = scale_over(0, highest, 5);
  double y = frame.bottom + 48;
  const std::string names = legend(chart, frame, y);
  frame.height = y + 10;
  return begin(chart.head, frame) + value_axis(scale, frame, chart.unit) + stacked_boxes(chart, frame, scale) +
         time_axis(chart.time, frame, 9) + names + stacked_hints(chart, frame) + "</svg>\n";
}

std::string draw(const HeatMap& chart) {
  constexpr double kRow = 24;
  const double rows = kRow * static_cast<double>(chart.rows.size());
  const Frame frame{.width = 960, .height = rows + 72, .left = 76, .right = 950, .top = 8, .bottom = 8 + rows};
  std::string text = begin(chart.head, frame);
  double y = frame.top;
  for (const HeatMap::Row& row : chart.rows) {
    text += label(frame.left - 8, y + kRow / 2 + 4, fit(harmless(row.name), 9), "", "end");
    text += heat_row(chart, row, frame, y, kRow - 3);
    y += kRow;
  }
  return text + time_axis(chart.time, frame, 9) + heat_key(frame, frame.bottom + 50, chart.unit) + "</svg>\n";
}

std::string draw(const Curve& chart) {
  const Frame frame{.width = 470, .height = 170, .left = 46, .right = 462, .top = 26, .bottom = 140};
  const Scale scale = scale_of(chart);
  std::string text =
      begin(chart.head, frame) + value_axis(scale, frame, chart.unit) + curve_shapes(chart, frame, scale);
  text +=
      label(frame.left + 4, 14, chart.head.title, "strong") + label(frame.right, 14, chart.head.description, "", "end");
  for (const Curve::Line& each : chart.lines) {
    const double y = height_of(each.value, scale, frame);
    text += line(frame.left, y, frame.right, y, "limit") + label(frame.right, y - 4, each.name, "", "end");
  }
  return text + time_axis(chart.time, frame, 5) + curve_hints(chart, frame) + "</svg>\n";
}

std::string draw(const Meter& chart) {
  const Frame frame{.width = 470, .height = 64, .left = 2, .right = 468, .top = 24, .bottom = 40};
  const double most = chart.most > 0 ? chart.most : 1;
  const auto at = [&](double value) {
    return frame.left + (std::isfinite(value) ? std::clamp(value / most, 0.0, 1.0) : 0) * frame.plot_width();
  };
  std::string text = begin(chart.head, frame);
  text += label(frame.left, 15, chart.head.title) + label(frame.right, 15, chart.text, "strong", "end");
  text += fmt::format("<rect class=\"trough\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                      frame.left, frame.top, frame.plot_width(), frame.plot_height());
  text += fmt::format("<rect class=\"fill {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                      escaped(chart.tone), frame.left, frame.top, at(chart.value) - frame.left, frame.plot_height());
  for (const Meter::Mark& mark : chart.marks) {
    const double x = at(mark.value);
    text += line(x, frame.top - 3, x, frame.bottom + 3, "limit");
    text += label(x, frame.bottom + 17, mark.name, "",
                  x > frame.right - 60  ? "end"
                  : x < frame.left + 60 ? "start"
                                        : "middle");
  }
  return text + "</svg>\n";
}

}  // namespace gpukeeper::report
