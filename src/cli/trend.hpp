#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "format/trend_view.hpp"

namespace gpukeeper::cli {

struct TrendOptions {
  std::vector<std::string> devices = {};  ///< selectors; empty for all
  std::chrono::minutes window{5};
  enum class Form { page, json, schema };
  Form form = Form::page;
  std::vector<std::string> sources = {};                ///< as given to --source
  std::optional<std::chrono::nanoseconds> length = {};  ///< to watch or to play
  std::string daemon = {};                              ///< as given to --daemon; empty: wherever one is found
};

/// `gpukeeper trend`: where every GPU's temperature is going, when it will throttle, and which processes only grow.
Exit trend(const TrendOptions& options, Context& context);

/// The page that it shows.
std::string render_trends(const TrendView& view, const RenderOptions& render);

}  // namespace gpukeeper::cli
