#include "report/svg_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "format/human.hpp"
#include "report/markup.hpp"

namespace gpukeeper::report {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

std::string mark_text(double value, double step) {
  const int decimals = step >= 1 ? 0 : std::min(4, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", value == 0 ? 0.0 : value, decimals);
}

// Marks of time: so far apart that their labels do.
seconds time_step(const TimeAxis& time, double most_marks) {
  constexpr std::array<seconds, 18> kSteps = {1s,    5s, 10s, 30s, 60s, 120s, 300s, 600s, 900s,
                                              30min, 1h, 2h,  3h,  6h,  12h,  24h,  48h,  168h};
  const auto length = time.column * static_cast<std::int64_t>(time.columns);
  for (const seconds step : kSteps) {
    if (static_cast<double>(length.count()) <= static_cast<double>(step.count()) * most_marks) return step;
  }
  return seconds(length / static_cast<std::int64_t>(most_marks));
}

// The hour, or at midnight the date; seconds where marks are that close.
std::string time_mark(WallTime at, seconds utc_offset, seconds step) {
  const std::string text = local_time(at, utc_offset);  // "2026-05-28 21:46:40"
  const std::string_view date = std::string_view(text).substr(5, 5), clock = std::string_view(text).substr(11);
  if (step >= 24h || clock == "00:00:00") return std::string(date);
  return std::string(step < 60s ? clock : clock.substr(0, 5));
}

}  // namespace

Scale scale_over(double low, double high, double most_marks) {
  if (!(high > low)) high = low + (low == 0 ? 1 : std::abs(low) * 0.1);
  const double rough = (high - low) / most_marks;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * (1 - 1e-9)) step = factor * power;
  }
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

std::string begin(const ChartHead& head, const Frame& frame) {
  const std::string id = escaped(head.id);
  return fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">\n"
      "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n",
      frame.width, frame.height, id, id, id, escaped(head.title), id, escaped(head.description));
}

std::string label(double x, double y, std::string_view text, std::string_view classes, std::string_view anchor) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}{}>{}</text>", x, y,
                     classes.empty() ? "" : fmt::format(" class=\"{}\"", classes),
                     anchor.empty() ? "" : fmt::format(" text-anchor=\"{}\"", anchor), escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view classes) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>", x1, y1, x2, y2,
                     classes);
}

double height_of(double value, const Scale& scale, const Frame& frame) {
  const double share = std::clamp((value - scale.low) / (scale.high - scale.low), 0.0, 1.0);
  return frame.bottom - share * frame.plot_height();
}

std::string value_axis(const Scale& scale, const Frame& frame, std::string_view unit) {
  std::string text;
  for (int i = 0; scale.low + i * scale.step <= scale.high + scale.step / 2; ++i) {
    const double value = scale.low + i * scale.step;
    const double y = height_of(value, scale, frame);
    text += line(frame.left, y, frame.right, y, i == 0 ? "axis" : "grid");
    text += label(frame.left - 6, y + 4, mark_text(value, scale.step), "", "end");
  }
  return text + label(frame.left - 6, frame.top - 8, unit, "", "end") + "\n";
}

std::string time_axis(const TimeAxis& time, const Frame& frame, double most_marks) {
  if (time.columns == 0) return "";
  const seconds step = time_step(time, most_marks);
  const auto begin = std::chrono::floor<seconds>(time.from.time_since_epoch()) + time.utc_offset;
  const auto length = time.column * static_cast<std::int64_t>(time.columns);
  std::string text;
  for (seconds at = (begin + step - 1s) / step * step; at <= begin + length; at += step) {
    const double share = static_cast<double>((at - begin).count()) / static_cast<double>(length.count());
    const double x = frame.left + share * frame.plot_width();
    text += line(x, frame.bottom, x, frame.bottom + 5, "axis");
    text += label(x, frame.bottom + 19, time_mark(WallTime(at - time.utc_offset), time.utc_offset, step), "", "middle");
  }
  return text + "\n";
}

double column_width(const TimeAxis& time, const Frame& frame) {
  return frame.plot_width() / static_cast<double>(std::max<std::size_t>(1, time.columns));
}

std::string moment(const TimeAxis& time, std::size_t n) {
  return local_time(time.start_of(n), time.utc_offset).substr(0, time.column < 60s ? 19 : 16);
}

std::string hint(double x, double y, double width, double height, std::string_view text) {
  return fmt::format(
      "<rect class=\"hint\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}</title></rect>", x,
      y, width, height, text);
}

}  // namespace gpukeeper::report
