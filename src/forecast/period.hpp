#pragma once

#include <cstddef>
#include <optional>

#include "forecast/series.hpp"

namespace gpukeeper::forecast {

/// After how many cells a value does again what it did, as training does that evaluates every quarter of an hour: the
/// shortest time, of two minutes at the least, at which what is known without a hole up to the last cell is clearly
/// alike (its autocorrelation has a peak of 0.8 or more), and of which three went by. Nothing where it does not repeat.
std::optional<std::size_t> period_of(const Series& values);

}  // namespace gpukeeper::forecast
