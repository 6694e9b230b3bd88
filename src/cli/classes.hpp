#pragma once

#include <string>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct ClassesOptions {
  bool json = false;
  std::string rules;  ///< a user's rule file, before the built-in rules; empty: none
  std::string check;  ///< only read this file and say whether it is right
};

/// `gpukeeper classes`: the rules that tell what kind of work a process does, in the order in which they are tried.
Exit classes(const ClassesOptions& options, Context& context);

}  // namespace gpukeeper::cli
