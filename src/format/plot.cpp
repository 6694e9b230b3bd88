#include "format/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/human.hpp"

namespace gpukeeper {
namespace {

using std::chrono::seconds;
using Columns = std::span<const std::optional<PlotColumn>>;

constexpr std::size_t kScaleWidth = 8;  // "  100.5 ┤"
constexpr std::size_t kMostDots = 10'000;

// The next of 1, 2, 5, 10, 20, … at or above a distance.
double round_step(double distance) {
  const double power = std::pow(10, std::floor(std::log10(distance)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= distance * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

struct Scale {
  double bottom = 0;
  double top = 1;
  double step = 1;  // between marks
};

// Round numbers around the values.
Scale scale_for(Columns columns, std::optional<double> given_top, std::size_t height) {
  std::optional<double> low, high;
  for (const auto& column : columns) {
    if (!column) continue;
    low = std::min(low.value_or(column->low), column->low);
    high = std::max(high.value_or(column->high), column->high);
  }
  double bottom = given_top ? 0 : low.value_or(0);
  double top = given_top ? *given_top : high.value_or(1);
  const double least = top == 0 ? 1 : std::max(std::abs(top) * 0.02, 1e-3);
  if (top - bottom < least) top = bottom + least;  // a flat line
  const double marks = std::max<double>(1, std::floor(static_cast<double>(height) * 0.75));
  const double step = round_step((top - bottom) / marks);
  return {std::floor(bottom / step + 1e-9) * step, std::ceil(top / step - 1e-9) * step, step};
}

// Dots on or off, row 0 at the bottom.
class Canvas {
 public:
  Canvas(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), dots_(columns * rows) {}

  void draw(Columns columns, const Scale& scale) {
    const auto row_of = [&](double value) {
      const double share = std::clamp((value - scale.bottom) / (scale.top - scale.bottom), 0.0, 1.0);
      return static_cast<std::size_t>(std::lround(share * static_cast<double>(rows_ - 1)));
    };
    std::optional<std::pair<std::size_t, std::size_t>> before;
    for (std::size_t x = 0; x < std::min(columns.size(), columns_); ++x) {
      if (!columns[x]) {
        before.reset();
        continue;
      }
      auto from = row_of(columns[x]->low), to = row_of(columns[x]->high);
      const auto own = std::pair(from, to);
      if (before && from > before->second + 1) from = before->second + 1;  // joined to the column before
      if (before && to + 1 < before->first) to = before->first - 1;
      for (std::size_t y = from; y <= to; ++y) dots_[y * columns_ + x] = true;
      before = own;
    }
  }

  bool dot(std::size_t x, std::size_t y) const { return x < columns_ && y < rows_ && dots_[y * columns_ + x]; }

 private:
  std::size_t columns_, rows_;
  std::vector<bool> dots_;
};

// The character of two by four dots: U+2800 and a bit for each (Unicode, Braille Patterns).
std::string braille(const Canvas& canvas, std::size_t x, std::size_t y) {
  constexpr std::array<std::array<unsigned, 2>, 4> kBits = {{{0x40, 0x80}, {0x04, 0x20}, {0x02, 0x10}, {0x01, 0x08}}};
  unsigned bits = 0;
  for (std::size_t dy = 0; dy < 4; ++dy) {
    for (std::size_t dx = 0; dx < 2; ++dx) {
      if (canvas.dot(2 * x + dx, 4 * y + dy)) bits |= kBits.at(dy).at(dx);
    }
  }
  if (bits == 0) return " ";
  const unsigned point = 0x2800 + bits;
  return {static_cast<char>(0xe0 | (point >> 12)), static_cast<char>(0x80 | ((point >> 6) & 0x3f)),
          static_cast<char>(0x80 | (point & 0x3f))};
}

// In the room that there is: 37,274,173 is "37.27M".
std::string number_text(double value, double step) {
  constexpr std::array<std::pair<double, std::string_view>, 3> kLarge = {{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}}};
  std::string_view suffix;
  for (const auto& [size, sign] : kLarge) {
    if (std::abs(value) < size || !suffix.empty()) continue;
    value /= size;
    step /= size;
    suffix = sign;
  }
  int decimals = 0;
  for (double rest = step; rest < 0.999 && decimals < 3; rest *= 10) ++decimals;
  std::string text;
  do {
    text = fmt::format("{:.{}f}{}", value == 0 ? 0.0 : value, decimals, suffix);
  } while (text.size() > kScaleWidth - 2 && decimals-- > 0);
  return text.size() > kScaleWidth - 2 ? fmt::format("{:.0e}", value) : text;
}

// What stands left of a row: a mark where a round value lies in it.
std::string scale_text(const Scale& scale, std::size_t row, std::size_t height, bool utf8) {
  const double span = scale.top - scale.bottom;
  const double rows = static_cast<double>(std::max<std::size_t>(height, 2) - 1);
  for (double mark = scale.bottom; mark <= scale.top + scale.step / 2; mark += scale.step) {
    if (std::lround((mark - scale.bottom) / span * rows) != static_cast<long>(row)) continue;
    return fmt::format("{:>{}} {}", number_text(mark, scale.step), kScaleWidth - 2, utf8 ? "┤" : "+");
  }
  return std::string(kScaleWidth - 1, ' ') + (utf8 ? "│" : "|");
}

constexpr std::array<long, 20> kTimeSteps = {1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
                                             900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};

// The two lines below the rows: marks, and the times that they stand for.
void add_times(std::vector<std::string>& lines, const PlotOptions& options, std::size_t cells) {
  const double length = std::chrono::duration<double>(options.to - options.from).count();
  const double per_cell = length / static_cast<double>(cells);
  const std::size_t room = length < 600 ? 11 : 8;  // of "20:26:40" and of "20:26", with some air
  const auto wanted = static_cast<double>(room) * per_cell;
  const auto found = std::ranges::find_if(kTimeSteps, [&](long step) { return static_cast<double>(step) >= wanted; });
  const long step = found == kTimeSteps.end() ? kTimeSteps.back() : *found;

  std::string axis;
  std::string labels(kScaleWidth, ' ');
  const auto first = std::chrono::ceil<seconds>(options.from.time_since_epoch()) + options.utc_offset;
  long mark = (first.count() + step - 1) / step * step;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const auto at = options.from + std::chrono::duration_cast<WallTime::duration>(
                                       std::chrono::duration<double>(per_cell * static_cast<double>(cell + 1)));
    const WallTime marked{seconds(mark) - options.utc_offset};
    if (marked >= at || length <= 0) {
      axis += options.utf8 ? "─" : "-";
      continue;
    }
    axis += options.utf8 ? "┬" : "+";
    const std::string time = local_time(marked, options.utc_offset);  // "2026-05-28 20:26:40"
    const std::string text = step >= 86400 ? time.substr(5, 5) : time.substr(11, length < 600 ? 8 : 5);
    labels.resize(std::max(labels.size(), kScaleWidth + cell), ' ');
    if (kScaleWidth + cell + text.size() <= kScaleWidth + cells && labels.size() == kScaleWidth + cell) labels += text;
    mark += step;
  }
  lines.push_back(std::string(kScaleWidth - 1, ' ') + (options.utf8 ? "└" : "+") + axis);
  labels.erase(labels.find_last_not_of(' ') + 1);
  lines.push_back(labels);
}

std::size_t cells_of(const PlotOptions& options) {
  return std::min(options.width > kScaleWidth + 10 ? options.width - kScaleWidth : 10, kMostDots / 2);
}

}  // namespace

std::size_t plot_columns(const PlotOptions& options) {
  return cells_of(options) * (options.utf8 ? 2 : 1);
}

PlotUnit plot_unit(std::string_view unit, double highest, bool utf8) {
  if (unit == "bytes" || unit == "bytes/second") {
    constexpr std::array<std::string_view, 5> kSigns = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t power = 0;
    double divisor = 1;
    while (power + 1 < kSigns.size() && highest >= divisor * 1024) {
      divisor *= 1024;
      ++power;
    }
    return {divisor, std::string(kSigns.at(power)) + (unit == "bytes" ? "" : "/s")};
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kShort = {
      {{"percent", "%"}, {"watts", "W"}, {"megahertz", "MHz"}, {"joules", "J"}, {"seconds", "s"}, {"rpm", "rpm"}}};
  if (unit == "celsius") return {1, utf8 ? "°C" : "C"};
  for (const auto& [name, sign] : kShort) {
    if (name == unit) return {1, std::string(sign)};
  }
  return {1, std::string(unit)};
}

std::vector<std::string> plot(Columns columns, const PlotOptions& options) {
  double highest = options.top.value_or(0);
  for (const auto& column : columns) {
    if (column) highest = std::max(highest, column->high);
  }
  const PlotUnit unit = plot_unit(options.unit, highest, options.utf8);
  const std::size_t cells = cells_of(options);
  const std::size_t dots_a_row = options.utf8 ? 4 : 1;
  Canvas canvas(plot_columns(options), options.height * dots_a_row);
  std::vector<std::optional<PlotColumn>> scaled(columns.begin(), columns.end());
  for (auto& column : scaled) {
    if (column) column = PlotColumn{column->low / unit.divisor, column->high / unit.divisor};
  }
  const auto top = options.top ? std::optional(*options.top / unit.divisor) : std::nullopt;
  const Scale scale = scale_for(scaled, top, options.height);
  canvas.draw(scaled, scale);

  std::vector<std::string> lines;
  for (std::size_t row = options.height; row-- > 0;) {
    std::string line = scale_text(scale, row, options.height, options.utf8);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      line += options.utf8 ? braille(canvas, cell, row) : canvas.dot(cell, row) ? "*" : " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  add_times(lines, options, cells);
  return lines;
}

}  // namespace gpukeeper
