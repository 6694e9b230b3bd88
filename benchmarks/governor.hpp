#pragma once

namespace gpukeeper::bench {

/// What governing costs a tick, and how soon a subscriber hears of a transition.
void governor();

}  // namespace gpukeeper::bench
