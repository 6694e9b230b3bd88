#pragma once

#include <span>
#include <string>

#include "backend/detect.hpp"
#include "cli/ps.hpp"
#include "cli/render.hpp"

namespace gpukeeper::cli {

/// `gpukeeper ps` for people: a line for each process on each GPU, then what is in use and belongs to none of them,
/// then of which GPUs the processes are not known, and why. Every line ends in a line feed and, unless `wide`, is at
/// most render.width columns wide.
std::string render_ps(const Snapshot& snapshot, std::span<const Finding> findings, const PsOptions& options,
                      const RenderOptions& render);

}  // namespace gpukeeper::cli
