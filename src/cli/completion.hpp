#pragma once

#include <string>

#include "cli/command_tree.hpp"

namespace gpukeeper::cli {

/// `gpukeeper completion SHELL`: a script for the shell, made from what the parser accepts.
std::string bash_completion(const CommandTree& tree);
std::string zsh_completion(const CommandTree& tree);
std::string fish_completion(const CommandTree& tree);

}  // namespace gpukeeper::cli
