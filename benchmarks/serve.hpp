#pragma once

namespace gpukeeper::bench {

/// Requests a second, their latency and the memory of `gpukeeper serve`. The clients share the machine with it.
void serve();

}  // namespace gpukeeper::bench
