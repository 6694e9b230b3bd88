#pragma once

namespace gpukeeper::bench {

/// The ledger of GPU memory: in memory alone, and with its journal on a disk.
void ledger();

}  // namespace gpukeeper::bench
