#pragma once

#include "service/documented/words.hpp"
#include "telemetry/snapshot.hpp"

// Included by source files only: words.hpp is heavy.

/// The GPUs and their processes as the system monitor of the documents has them. Sizes in whole MiB; null is what is
/// not known, of a GPU that does not answer everything.
namespace gpukeeper::service::documented {

/// The processes' arguments are for those who may read them.
enum class CommandLines { shown, hidden };

/// The answer of `/api/gpu/summary`.
Json gpu_summary(const Snapshot& snapshot);

/// {"gpus": […], "timestamp": …, "count": …}: every GPU with its processes, as `/api/gpu/metrics` answers.
Json gpu_metrics(const Snapshot& snapshot, CommandLines command_lines);

/// The answer of `/api/gpu/processes`: why the fan runs, by its processes.
Json gpu_processes(const Snapshot& snapshot, CommandLines command_lines);

}  // namespace gpukeeper::service::documented
