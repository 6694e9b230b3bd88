#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/render.hpp"

namespace gpukeeper::cli {

/// What somebody should do about the memory of the machine, or that all is well: a sentence each, the most urgent
/// first. Of gpukeeper.status/1 and gpukeeper.leases/1.
struct Advice {
  enum class Weight { bad, notice, good };
  Weight weight = Weight::good;
  std::string sentence;
};
std::vector<Advice> advice_of(std::string_view status, std::string_view leases);

/// The page of `gpukeeper report`.
std::string render_memory_report(std::string_view status, std::string_view leases, const RenderOptions& options);

/// The same for programs: gpukeeper.memory_report/1.
std::string memory_report_json(std::string_view status, std::string_view leases);

}  // namespace gpukeeper::cli
