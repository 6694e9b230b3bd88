#pragma once

#include <string>
#include <string_view>

#include "report/svg_chart.hpp"

// What charts are made of: the frame, the axes, texts.
namespace gpukeeper::report {

/// Where a chart's plot lies in its drawing, in units of the drawing, which the page scales.
struct Frame {
  double width;
  double height;
  double left;
  double right;
  double top;
  double bottom;

  double plot_width() const { return right - left; }
  double plot_height() const { return bottom - top; }
};

/// Round marks over a range of values: 1, 2 or 5 times a power of ten apart.
struct Scale {
  double low = 0;
  double high = 1;
  double step = 1;
};
Scale scale_over(double low, double high, double most_marks);

/// The drawing's first lines, with its title and its description.
std::string begin(const ChartHead& head, const Frame& frame);

/// `classes` and `anchor` may be empty.
std::string label(double x, double y, std::string_view text, std::string_view classes = "",
                  std::string_view anchor = "");
std::string line(double x1, double y1, double x2, double y2, std::string_view classes);

/// Where a value stands, from the drawing's top.
double height_of(double value, const Scale& scale, const Frame& frame);
std::string value_axis(const Scale& scale, const Frame& frame, std::string_view unit);
std::string time_axis(const TimeAxis& time, const Frame& frame, double most_marks);
double column_width(const TimeAxis& time, const Frame& frame);

/// A column's moment, for people.
std::string moment(const TimeAxis& time, std::size_t n);

/// What is under a pointer, in words, already escaped: browsers show the title of an element.
std::string hint(double x, double y, double width, double height, std::string_view text);

}  // namespace gpukeeper::report
