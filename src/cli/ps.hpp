#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "format/process_list.hpp"

namespace gpukeeper::cli {

struct PsOptions {
  enum class Form { table, json, csv };
  Form form = Form::table;
  std::vector<std::string> devices;  ///< selectors; empty for all
  ProcessFilter filter;
  std::optional<ProcessOrder> order;  ///< by device, the largest in memory first, when absent
  bool reversed = false;
  bool wide = false;                              ///< command lines in full, whatever the page's width
  std::optional<std::chrono::nanoseconds> watch;  ///< again and again, with this pause from start to start
};

/// `gpukeeper ps`: who uses which GPU, a line for each process on each GPU.
///
/// A page for people is shown after a second look when a rate needs two of them; the other forms show the first.
Exit ps(const PsOptions& options, Context& context);

}  // namespace gpukeeper::cli
