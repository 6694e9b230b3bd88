#pragma once

#include <string_view>

namespace gpukeeper {

/// How finely recordings and the history keep the numbers of a unit: finer than sensors are, and coarse enough that
/// their noise does not fill the disk. Three decimals where nothing else is said. Of rates (bytes/second) it is the
/// finest step: they keep five digits at most.
double resolution_of(std::string_view unit);

/// The value as it is kept. It is cut off, not rounded: what did not reach a border (85 °C) does not reach it in a
/// replay either. Not for what is no number.
double as_recorded(std::string_view unit, double value);

}  // namespace gpukeeper
