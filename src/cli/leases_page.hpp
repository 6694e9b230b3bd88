#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/render.hpp"

// The ledger's documents (docs/api.md) as pages for people. What stands in them may come from anybody: it is made
// harmless here.
namespace gpukeeper::cli {

/// gpukeeper.leases/1: what is booked of every GPU, then the leases, those that wait, and who uses memory without one.
std::string render_leases(std::string_view document, const RenderOptions& options);

/// gpukeeper.lease/1, as the answer to a request: "Booked 4096 MiB on GPU 0 for …", a line a lease.
std::string render_grant(std::string_view document, const RenderOptions& options);

/// gpukeeper.quotas/1; of one service where it is named. Nothing when there is no such service.
std::optional<std::string> render_quotas(std::string_view document, std::string_view service,
                                         const RenderOptions& options);

/// The document itself, of one service where it is named, indented.
std::string quotas_of(std::string_view document, std::string_view service);

/// A problem document as an error message: the first sentence, then what stands in the way of the request, device by
/// device. `width`: of the page; the first line has a prefix of 11 columns.
std::string render_refusal(std::string_view problem, std::size_t width, bool utf8);

}  // namespace gpukeeper::cli
