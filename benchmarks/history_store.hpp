#pragma once

namespace gpukeeper::bench {

/// What it costs to keep the history in a file: CPU, bytes a day, and a question about a day.
void history_store();

}  // namespace gpukeeper::bench
