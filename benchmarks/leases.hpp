#pragma once

namespace gpukeeper::bench {

/// Leases over the socket of a `gpukeeper serve`: what a client waits for until its booking is safe.
void leases();

}  // namespace gpukeeper::bench
