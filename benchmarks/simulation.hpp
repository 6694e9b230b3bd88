#pragma once

namespace gpukeeper::bench {

/// How much time the proof by simulation (tests/simulation) plays in a minute.
void simulation();

}  // namespace gpukeeper::bench
