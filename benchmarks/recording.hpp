#pragma once

namespace gpukeeper::bench {

/// What a recording costs: bytes a day, and how fast it is replayed.
void recording();

}  // namespace gpukeeper::bench
