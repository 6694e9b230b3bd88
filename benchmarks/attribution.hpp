#pragma once

namespace gpukeeper::bench {

/// What it costs to say who the processes are, where only NVML names them.
void attribution();

}  // namespace gpukeeper::bench
