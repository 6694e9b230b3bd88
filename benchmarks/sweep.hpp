#pragma once

namespace gpukeeper::bench {

/// What finding the GPUs' processes among very many costs, beside the sampling thread and by itself.
void sweep();

}  // namespace gpukeeper::bench
