#include "forecast/backtest.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace gpukeeper::forecast {
namespace {

constexpr std::size_t kMostMoments = 800;
constexpr double kClearlyBetter = 0.9;  // of the error of what stays
constexpr double kFaster = 1.5;         // than ever: of that nothing is known
// Below so many stretches the two ends of an interval cannot be told apart: 10 % each are one in ten.
constexpr std::size_t kTwoSided = 9;
constexpr double kOneSide = (1 + kStated) / 2;

// One rise or fall teaches once in five minutes: its errors are all alike.
constexpr std::size_t kOneMove = 30;

std::size_t stretches(const auto& moments, std::size_t cells_ahead) {
  std::size_t count = 0, next = 0;
  for (const auto* moment : moments) {
    if (count > 0 && moment->cell < next) continue;
    ++count;
    next = moment->cell + (moment->moving ? std::max(cells_ahead, kOneMove) : cells_ahead);
  }
  return count;
}

// The value that `share` of them do not exceed, with what few of them leave open on top (split conformal prediction:
// the share is taken of one more than there are).
double bound(std::vector<double> values, double share, std::size_t stretches) {
  const auto few = static_cast<double>(stretches);
  const double part = std::min(1.0, share * (few + 1) / few);
  const auto place = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(place, 1) - 1);
  std::ranges::nth_element(values, at);
  return *at;
}

}  // namespace

struct Backtest::Score {
  double error = 0, error_if_stays = 0;
  std::vector<double> errors;  // what came less what was expected, in the direction of its motion
  std::size_t stretches = 0;
};

Backtest::Backtest(const Paths& paths, std::span<const Method> methods, double moves)
    : paths_(paths), methods_(methods), moves_(moves) {
  const std::size_t size = paths.values().size();
  const std::size_t stride = std::max<std::size_t>(1, size / kMostMoments);
  for (std::size_t cell = (size + stride - 1) % stride; cell + 1 < size; cell += stride) {
    if (!paths.starts(cell)) continue;
    const double now = speed(cell);
    Moment moment{.cell = cell, .sign = now < 0 ? -1.0 : 1.0, .moving = this->moves(now), .paths = {}};
    for (const Method& method : methods) moment.paths.push_back(paths.path(method, cell));
    moments_.push_back(std::move(moment));
    // It must have been seen what came of it.
    if (cell + Paths::kLookBack < size) fastest_ = std::max(fastest_, std::abs(now));
  }
  if (size > 0 && paths.starts(size - 1)) now_ = speed(size - 1);
}

double Backtest::speed(std::size_t cell) const {
  return paths_.values().slope(cell, Paths::kLookBack);
}

bool Backtest::moves(double speed) const {
  return std::abs(speed) >= moves_;
}

bool Backtest::unheard_of() const {
  return moves(now_) && std::abs(now_) > kFaster * fastest_;
}

std::vector<const Backtest::Moment*> Backtest::tried(std::size_t cells_ahead, bool moving_only, bool level_only) const {
  const Series& values = paths_.values();
  std::vector<const Moment*> result;
  for (const Moment& moment : moments_) {
    if ((moving_only && !moment.moving) || (level_only && moment.moving)) continue;
    const std::size_t then = moment.cell + cells_ahead;
    if (then < values.size() && values.unbroken(then) > cells_ahead) result.push_back(&moment);
  }
  return result;
}

// What moves must be judged by what moved; of what is level all moments say something, on the safe side.
std::vector<const Backtest::Moment*> Backtest::alike(std::size_t cells_ahead) const {
  const bool moving = moves(now_);
  auto moments = tried(cells_ahead, moving, !moving);
  if (!moving && stretches(moments, cells_ahead) < kFewestStretches) moments = tried(cells_ahead, false, false);
  return moments;
}

Backtest::Score Backtest::score(std::span<const Moment* const> moments, std::size_t cells_ahead,
                                std::size_t method) const {
  const Series& values = paths_.values();
  const auto seconds = static_cast<double>(cells_ahead) * static_cast<double>(Series::kCell.count());
  Score score;
  std::vector<const Moment*> used;
  for (const Moment* moment : moments) {
    const auto& path = moment->paths[method];
    if (!path) continue;
    used.push_back(moment);
    const double came = values.at(moment->cell + cells_ahead);
    score.errors.push_back((came - path->at(seconds)) * (moves(now_) ? moment->sign : 1));
    score.error += std::abs(score.errors.back());
    score.error_if_stays += std::abs(came - values.at(moment->cell));
  }
  const auto count = static_cast<double>(std::max<std::size_t>(used.size(), 1));
  score.error /= count;
  score.error_if_stays /= count;
  score.stretches = stretches(used, cells_ahead);
  return score;
}

// A rise does not tell how high a fall gets: of what moves, those that moved the same way, where there are enough.
Peak Backtest::peak(std::span<const Moment* const> moments, std::size_t cells_ahead, std::size_t method) const {
  const Series& values = paths_.values();
  const auto seconds = static_cast<double>(cells_ahead) * static_cast<double>(Series::kCell.count());
  std::vector<const Moment*> used;
  for (const Moment* moment : moments) {
    if (moment->paths[method] && (!moves(now_) || (moment->sign < 0) == (now_ < 0))) used.push_back(moment);
  }
  if (stretches(used, cells_ahead) < kFewestStretches) {
    used.clear();
    std::ranges::copy_if(moments, std::back_inserter(used),
                         [&](const auto* m) { return m->paths[method].has_value(); });
  }
  std::vector<double> above, below;
  for (const Moment* moment : used) {
    double highest = values.at(moment->cell);
    for (std::size_t k = 1; k <= cells_ahead; ++k) highest = std::max(highest, values.at(moment->cell + k));
    above.push_back(highest - moment->paths[method]->highest(seconds));
    below.push_back(-above.back());
  }
  const std::size_t count = stretches(used, cells_ahead);
  Peak peak{.low = -bound(below, kOneSide, count), .middle = 0, .high = bound(above, kOneSide, count)};
  const auto middle = above.begin() + static_cast<std::ptrdiff_t>(above.size() / 2);
  std::ranges::nth_element(above, middle);
  peak.middle = *middle;
  return peak;
}

std::optional<Tested> Backtest::best(std::chrono::seconds ahead) const {
  const auto cells = static_cast<std::size_t>(ahead / Series::kCell);
  const std::size_t last = paths_.values().size() - 1;
  const auto moments = alike(cells);
  Score best = score(moments, cells, 0);
  if (best.stretches < kFewestStretches) return std::nullopt;
  Tested tested;
  double ratio = kClearlyBetter;
  for (std::size_t method = 1; method < methods_.size(); ++method) {
    if (!paths_.path(methods_[method], last)) continue;
    Score other = score(moments, cells, method);
    if (other.stretches < kFewestStretches || other.error >= ratio * other.error_if_stays) continue;
    ratio = other.error / other.error_if_stays;
    best = std::move(other);
    tested.method = method;
  }
  tested.error = best.error;
  tested.error_if_stays = best.error_if_stays;
  tested.forecasts = best.errors.size();
  tested.stretches = best.stretches;
  tested.peak = peak(moments, cells, tested.method);
  std::vector<double> behind;
  for (const double error : best.errors) behind.push_back(-error);
  if (best.stretches < kTwoSided) {
    for (double& error : best.errors) error = std::abs(error);
    tested.above = tested.below = bound(best.errors, kStated, best.stretches);
    return tested;
  }
  tested.above = std::max(0.0, bound(best.errors, kOneSide, best.stretches));
  tested.below = std::max(0.0, bound(behind, kOneSide, best.stretches));
  if (moves(now_) && now_ < 0) std::swap(tested.above, tested.below);
  return tested;
}

}  // namespace gpukeeper::forecast
