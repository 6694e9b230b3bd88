#pragma once

namespace gpukeeper::bench {

/// What a reading costs in a program that links the library, and in one that starts nvidia-smi for it.
void embed();

}  // namespace gpukeeper::bench
