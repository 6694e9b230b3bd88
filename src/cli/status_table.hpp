#pragma once

#include <span>
#include <string>

#include "backend/detect.hpp"
#include "cli/render.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::cli {

/// `gpukeeper status` for people: a line per GPU and partition, its troubles below it, then the processes, then what
/// the sources have to say. `findings` are what `auto` looked for; they speak when no device was found. Every line ends
/// in a line feed and is at most options.width columns wide.
std::string render_status(const Snapshot& snapshot, std::span<const Finding> findings, const RenderOptions& options);

}  // namespace gpukeeper::cli
