#pragma once

namespace gpukeeper::bench {

/// How far off forecasts are on simulated machines, those that the method was tuned on and others, and what one costs.
void forecast();

}  // namespace gpukeeper::bench
