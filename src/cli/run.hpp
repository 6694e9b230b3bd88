#pragma once

#include <string>
#include <vector>

#include "cli/allocate.hpp"

namespace gpukeeper::cli {

struct RunOptions {
  BookingOptions booking;  ///< service: the program's name where none was said
  std::vector<std::string> command;
  bool governed = false;  ///< stands still, or goes slower, when the governor says so
  bool summary = false;   ///< in the end, what it used: on standard error, whose standard output is the command's
  bool json = false;      ///< the summary as JSON
  DeskOptions desk = {};
};

/// Books memory with this process as its owner, runs a command that sees only the booked GPUs, and gives the memory
/// back when it ends. The exit status is the command's, as a shell counts; 126 and 127 for one that could not be run.
/// Should this process be killed, its lease ends with it, and the command goes on without one.
Exit run_under_lease(const RunOptions& options, Context& context);

}  // namespace gpukeeper::cli
