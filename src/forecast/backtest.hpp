#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/paths.hpp"

namespace gpukeeper::forecast {

/// The share of the outcomes that an interval is to hold.
inline constexpr double kStated = 0.8;
/// Stretches of the past, none overlapping another, that an error must have been measured in.
inline constexpr std::size_t kFewestStretches = 4;

/// How much higher than its path it got on the way, at its highest: to tell when a limit is reached, which a value does
/// that is below it again when the time is over.
struct Peak {
  double low = 0;  ///< a tenth of them remained below that
  double middle = 0;
  double high = 0;  ///< a tenth got above that
};

/// How far off a method was at moments of the past of this very device.
struct Tested {
  std::size_t method = 0;     ///< its number
  double error = 0;           ///< on average, without sign
  double error_if_stays = 0;  ///< of the same moments, had it been said that it stays as it is
  double below = 0;           ///< of the interval, from what is expected; at or above 0
  double above = 0;
  Peak peak;
  std::size_t forecasts = 0;  ///< that were tried
  std::size_t stretches = 0;  ///< how many of these do not overlap
};

/// Tries methods at moments of the past and compares with what came then.
///
/// A moment at which the value was moving (at `moves` a second or more) is another case than one at which it was not:
/// each is judged by its like. Errors of a value that moves count as ahead of or behind it, so that rises teach about
/// falls.
class Backtest {
 public:
  /// The paths must outlive it.
  Backtest(const Paths& paths, std::span<const Method> methods, double moves);

  /// Whether the value moves in this cell, and how fast, a second.
  double speed(std::size_t cell) const;
  bool moves(double speed) const;

  /// The method that was best for this time ahead, from moments like the last cell; the first method where none was
  /// clearly better. Nothing where too little is known to say how far off it is.
  std::optional<Tested> best(std::chrono::seconds ahead) const;

  /// Whether it moves now as it never did in the time that is known, so that nothing can be said.
  bool unheard_of() const;

 private:
  struct Moment {
    std::size_t cell = 0;
    double sign = 1;  // of its motion
    bool moving = false;
    std::vector<std::optional<Path>> paths;
  };
  struct Score;

  std::vector<const Moment*> tried(std::size_t cells_ahead, bool moving_only, bool level_only) const;
  std::vector<const Moment*> alike(std::size_t cells_ahead) const;
  Score score(std::span<const Moment* const> moments, std::size_t cells_ahead, std::size_t method) const;

  Peak peak(std::span<const Moment* const> moments, std::size_t cells_ahead, std::size_t method) const;

  const Paths& paths_;
  const std::span<const Method> methods_;
  const double moves_;
  std::vector<Moment> moments_;
  double now_ = 0;      // speed of the last cell
  double fastest_ = 0;  // of the moments before
};

}  // namespace gpukeeper::forecast
