#pragma once

namespace gpukeeper::bench {

/// Many daemons that write into one PostgreSQL over few connections.
void database();

}  // namespace gpukeeper::bench
