#pragma once

namespace gpukeeper::bench {

/// What accounts and reports cost: a snapshot taken in, a month of eight GPUs as a page, a day that is played.
void report();

}  // namespace gpukeeper::bench
