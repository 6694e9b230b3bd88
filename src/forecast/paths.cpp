#include "forecast/paths.hpp"

#include <algorithm>

#include "forecast/period.hpp"

namespace gpukeeper::forecast {
namespace {

constexpr std::size_t kLeastMean = 180;  // cells that an average must be of: half an hour

}  // namespace

std::string_view to_string(Course course) {
  switch (course) {
    case Course::stays: return "stays";
    case Course::levels_off: return "levels_off";
    case Course::straight: return "straight";
    case Course::returns: return "returns";
    case Course::power: return "power";
    case Course::repeats: return "repeats";
  }
  return "stays";
}

double Path::at(double seconds) const {
  if (!again) return value + per_second * seconds - rest * std::expm1(-seconds / tau);
  const auto ahead = static_cast<std::size_t>(std::lround(seconds)) / static_cast<std::size_t>(Series::kCell.count());
  const std::size_t periods = (ahead + period - 1) / period;
  return again->at(cell + ahead - periods * period);
}

// Without a period it goes one way.
double Path::highest(double seconds) const {
  if (!again) return std::max(value, at(seconds));
  double highest = value;
  constexpr auto kCell = static_cast<double>(Series::kCell.count());
  for (double ahead = kCell; ahead <= seconds; ahead += kCell) highest = std::max(highest, at(ahead));
  return highest;
}

Paths::Paths(const Series& values, const Series* watts) : values_(values), watts_(watts), period_(period_of(values)) {
  if (!watts) return;
  Warming warming;
  laws_.resize(values.size());
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto power = watts_cell(i);
    if (power && values.unbroken(i) > 1) warming.learn(values.at(i - 1), watts->at(*power), values.at(i));
    laws_[i] = warming.law();
  }
}

// Both end at the same moment, and may begin at different ones.
std::optional<std::size_t> Paths::watts_cell(std::size_t cell) const {
  const std::size_t back = values_.size() - 1 - cell;
  if (!watts_ || back >= watts_->size()) return std::nullopt;
  const std::size_t place = watts_->size() - 1 - back;
  return watts_->known(place) ? std::optional(place) : std::nullopt;
}

std::optional<Path> Paths::after_power(const Method& method, std::size_t cell) const {
  const auto place = watts_cell(cell);
  if (!place || !laws_[cell] || watts_->unbroken(*place) < method.cells) return std::nullopt;
  const double value = values_.at(cell);
  const Warming::Law& law = *laws_[cell];
  return Path{.value = value, .rest = law.level(watts_->mean(*place, method.cells).value) - value, .tau = law.tau};
}

std::optional<Path> Paths::path(const Method& method, std::size_t cell) const {
  const double value = values_.at(cell);
  const bool has_slope = values_.unbroken(cell) > method.cells;
  switch (method.course) {
    case Course::stays: return Path{.value = value};
    case Course::levels_off:
      if (!has_slope) return std::nullopt;
      return Path{.value = value, .rest = values_.slope(cell, method.cells) * method.tau, .tau = method.tau};
    case Course::straight:
      if (!has_slope) return std::nullopt;
      return Path{.value = value, .per_second = values_.slope(cell, method.cells)};
    case Course::returns: {
      const auto mean = values_.mean(cell, method.cells);
      if (mean.count < kLeastMean) return std::nullopt;
      return Path{.value = value, .rest = mean.value - value, .tau = method.tau};
    }
    case Course::power: return after_power(method, cell);
    case Course::repeats:
      if (!period_ || values_.unbroken(cell) <= *period_) return std::nullopt;
      return Path{.value = value, .again = &values_, .cell = cell, .period = *period_};
  }
  return std::nullopt;
}

}  // namespace gpukeeper::forecast
