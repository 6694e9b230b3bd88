#pragma once

namespace gpukeeper::bench {

/// What finding alerts costs a tick.
void andon();

}  // namespace gpukeeper::bench
