#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/past_of_database.hpp"
#include "format/history_view.hpp"

namespace gpukeeper::cli {

struct HistoryOptions {
  enum class Form { plot, json, csv, schema };
  Form form = Form::plot;
  std::vector<std::string> metrics = {};  ///< empty for the usual ones
  std::vector<std::string> devices = {};  ///< selectors; empty for all
  std::optional<std::string> since = {};  ///< as given: "30m", or a date
  std::optional<std::chrono::nanoseconds> step = {};
  std::vector<std::string> sources = {};                ///< as given to --source
  std::optional<std::chrono::nanoseconds> length = {};  ///< to watch or to play
  std::string daemon = {};                              ///< as given to --daemon; empty: wherever one is found
  std::optional<PastDatabase> database = {};            ///< it is read there, instead
  bool hosts = false;                                   ///< only: which machines are in that
};

/// `gpukeeper history`: what the GPUs did until now, as curves, JSON or CSV.
Exit history(const HistoryOptions& options, Context& context);

/// The page that it shows.
std::string render_history(const HistoryView& view, const RenderOptions& render);

}  // namespace gpukeeper::cli
