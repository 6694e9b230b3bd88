#pragma once

#include <string>

#include "cli/context.hpp"
#include "core/program.hpp"

namespace gpukeeper::cli {

/// A page as PDF, printed by the Chromium or Chrome of this machine without a window.
/// Errors: not_found where there is none; those of Programs::run; internal where it printed nothing.
Result<std::string> pdf_of(const std::string& html, Programs& programs);

/// Writes what somebody will open into a file, and says so; "-" is standard output. Errors: as write_file.
Exit write_page_to(const std::string& path, const std::string& page, Context& context);

}  // namespace gpukeeper::cli
