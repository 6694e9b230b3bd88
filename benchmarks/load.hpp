#pragma once

namespace gpukeeper::bench {

/// `gpukeeper serve` under a load generator of others (wrk), which shares the machine with it: requests a second, their
/// latency, and what the sampler feels of it.
void load();

}  // namespace gpukeeper::bench
