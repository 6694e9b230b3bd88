#pragma once

namespace gpukeeper::bench {

/// What the history costs: bytes a value, a day of eight GPUs, and a question about an hour.
void history();

}  // namespace gpukeeper::bench
