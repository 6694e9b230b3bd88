#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/lease_desk.hpp"

namespace gpukeeper::cli {

struct ReportOptions {
  enum class Form { text, json, csv, schema };
  Form form = Form::text;
  std::string html = {};  ///< a file, or "-"; empty for none. With one of these two, `form` is not printed
  std::string pdf = {};
  std::optional<std::string> since = {};                ///< as given: "24h", or a date
  std::optional<std::string> until = {};                ///< as well
  std::optional<std::chrono::nanoseconds> length = {};  ///< to watch or to play
  DeskOptions desk = {};
};

/// `gpukeeper report`: what the GPUs did and who used them. The text begins with the documented one, of how things are
/// now. Of a stretch of time a running daemon tells, or it is a recording's or a simulated machine's, or it is watched
/// where --for, --html and the like ask for it.
Exit report(const ReportOptions& options, Context& context);

}  // namespace gpukeeper::cli
