#include "gpukeeper/sparkline.hpp"

#include "format/sparkline.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

// Of more values than there is room every so-many-th, as sparkline_spread() of format/ does.
SparklineValues thinned(const SparklineValues& values, std::size_t width) {
  if (values.size() <= width) return values;
  SparklineValues shown(width);
  for (std::size_t i = 0; i < width; ++i) shown[i] = values[i * values.size() / width];
  return shown;
}

}  // namespace

// What draws is inside; it takes one argument more, which says that the terminal knows UTF-8.
std::string render_sparkline(const SparklineValues& values, double max) {
  return gpukeeper::sparkline(values, max, true);
}

std::string render_sparkline_spread(const SparklineValues& values, std::size_t width) {
  return gpukeeper::sparkline_spread(values, width, true);
}

std::string render_sparkline_range(const SparklineValues& values, std::size_t width, double min, double max) {
  return gpukeeper::sparkline_between(thinned(values, width), min, max, true);
}

}  // namespace v0
}  // namespace gpukeeper
