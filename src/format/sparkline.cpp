#include "format/sparkline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace gpukeeper {
namespace {

constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};  // U+2581 to U+2588
constexpr std::array<std::string_view, 8> kPlainBars = {"_", ".", "-", ":", "=", "+", "*", "#"};
constexpr double kHighest = 7;
constexpr std::size_t kMiddle = 4;

std::string_view glyph(std::size_t level, bool utf8) {
  return utf8 ? kBars.at(level) : kPlainBars.at(level);
}

// Of a share from 0 to 1; what is no number is lowest.
std::size_t level_of(double share) {
  return static_cast<std::size_t>(std::lround((share >= 0 ? std::min(share, 1.0) : 0.0) * kHighest));
}

}  // namespace

std::string sparkline(SparkValues values, double max, bool utf8) {
  std::string line;
  if (!(max > 0)) return line;
  for (const auto& value : values) line += value ? glyph(level_of(*value / max), utf8) : " ";
  return line;
}

std::string sparkline_between(SparkValues values, double min, double max, bool utf8) {
  std::string line;
  for (const auto& value : values) {
    const std::size_t level = value && max > min ? level_of((*value - min) / (max - min)) : kMiddle;
    line += value ? glyph(level, utf8) : " ";
  }
  return line;
}

std::string sparkline_spread(SparkValues values, std::size_t width, bool utf8) {
  std::vector<std::optional<double>> shown(values.begin(), values.end());
  if (shown.size() > width) {
    for (std::size_t i = 0; i < width; ++i) shown[i] = values[i * values.size() / width];
    shown.resize(width);
  }
  std::optional<double> min, max;
  for (const auto& value : shown) {
    if (!value) continue;
    min = std::min(min.value_or(*value), *value);
    max = std::max(max.value_or(*value), *value);
  }
  return sparkline_between(shown, min.value_or(0), max.value_or(0), utf8);
}

}  // namespace gpukeeper
