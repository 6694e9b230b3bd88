#pragma once

#include <string>
#include <string_view>

#include "cli/render.hpp"

// The documents of plans and of reclaim (docs/reclaim.md) as pages for people. What stands in them may come from
// anybody: it is made harmless here.
namespace gpukeeper::cli {

/// gpukeeper.plan/1: what would have to happen, a line a step.
std::string render_plan(std::string_view document, const RenderOptions& options);

/// gpukeeper.reclaim/1: what came back, step by step and holder by holder, and who is worth a look.
std::string render_reclaim(std::string_view document, const RenderOptions& options);

/// The same in a line, for a loop: "20:26:40  3900 MiB came back; GPU 0 is at 48 %".
std::string render_reclaim_line(std::string_view document, const RenderOptions& options);

}  // namespace gpukeeper::cli
