#pragma once

#include <string>
#include <string_view>

#include "cli/command_tree.hpp"

namespace gpukeeper::cli {

/// What `gpukeeper` alone prints: what it is and what to try, in a few lines.
std::string short_help(const CommandTree& tree, std::size_t width);

/// `gpukeeper --help`, or `gpukeeper COMMAND --help`; `width` columns at most, where words allow.
std::string full_help(const CommandTree& tree, std::string_view command, std::size_t width);

}  // namespace gpukeeper::cli
