#pragma once

namespace gpukeeper::bench {

/// What gpukeeper costs a Python program: python_figures.py, over the library that was built.
void python();

}  // namespace gpukeeper::bench
