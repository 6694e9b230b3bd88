#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_tree.hpp"

namespace gpukeeper::cli {

/// Pages for man(1), made from the texts of --help and from the table of the configuration's keys.

/// Their names, each with its section: "gpukeeper.1", "gpukeeper-status.1", "gpukeeper.yaml.5".
std::vector<std::string> manual_pages(const CommandTree& tree);

/// The page as man(7) has it, by its name with or without the section; nothing when there is none of that name.
std::optional<std::string> manual_page(const CommandTree& tree, std::string_view name);

}  // namespace gpukeeper::cli
