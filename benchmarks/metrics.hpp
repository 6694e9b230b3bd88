#pragma once

namespace gpukeeper::bench {

/// What /metrics of eight GPUs costs the server, all families; beside it prometheus-cpp writing the same series, where
/// that is installed.
void metrics();

}  // namespace gpukeeper::bench
