#pragma once

namespace gpukeeper::bench {

/// What the terminal view costs, and nvtop beside it where that is installed.
void top();

}  // namespace gpukeeper::bench
