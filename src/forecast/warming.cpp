#include "forecast/warming.hpp"

#include <cmath>

#include "forecast/series.hpp"

namespace gpukeeper::forecast {
namespace {

constexpr double kKeeps = 0.9998;                  // of the weight from cell to cell: half of it after ten hours
constexpr double kLeastWeight = 60;                // ten minutes
constexpr double kShortest = 10, kLongest = 3600;  // seconds

}  // namespace

void Warming::learn(double celsius, double watts, double next_celsius) {
  const double change = next_celsius - celsius;
  const auto add = [](double& sum, double more) { sum = sum * kKeeps + more; };
  add(weight_, 1);
  add(t_, celsius);
  add(p_, watts);
  add(y_, change);
  add(tt_, celsius * celsius);
  add(tp_, celsius * watts);
  add(pp_, watts * watts);
  add(ty_, celsius * change);
  add(py_, watts * change);
}

// The change is a + b * temperature + c * power, b below zero.
std::optional<Warming::Law> Warming::law() const {
  if (weight_ < kLeastWeight) return std::nullopt;
  const double t = t_ / weight_, p = p_ / weight_, y = y_ / weight_;
  const double tt = tt_ / weight_ - t * t, tp = tp_ / weight_ - t * p, pp = pp_ / weight_ - p * p;
  const double ty = ty_ / weight_ - t * y, py = py_ / weight_ - p * y;
  const double determinant = tt * pp - tp * tp;
  if (tt < 1 || pp < 1 || determinant < 1e-6 * tt * pp) return std::nullopt;
  const double b = (ty * pp - py * tp) / determinant;
  const double c = (py * tt - ty * tp) / determinant;
  if (b >= 0 || b <= -1 || c <= 0) return std::nullopt;
  const double tau = -static_cast<double>(Series::kCell.count()) / std::log1p(b);
  if (tau < kShortest || tau > kLongest) return std::nullopt;
  const double a = y - b * t - c * p;
  return Law{.ambient = -a / b, .per_watt = -c / b, .tau = tau};
}

}  // namespace gpukeeper::forecast
