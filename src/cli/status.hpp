#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct StatusOptions {
  enum class Form { table, json, csv, query, schema };
  Form form = Form::table;
  std::vector<std::string> query;                 ///< keys, for Form::query
  std::vector<std::string> devices;               ///< selectors; empty for all
  std::optional<std::chrono::nanoseconds> watch;  ///< again and again, with this pause from start to start
};

/// `gpukeeper status`: what every GPU is doing.
///
/// On a terminal, --watch draws page over page on the alternate screen and leaves the last page behind; elsewhere it
/// appends. The table is shown after a second look when a value needs two of them; the other forms show the first, so
/// that a script is not kept waiting, and say not_yet_read.
Exit status(const StatusOptions& options, Context& context);

}  // namespace gpukeeper::cli
