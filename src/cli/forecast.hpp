#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "forecast/forecast_view.hpp"

namespace gpukeeper::cli {

struct ForecastOptions {
  std::vector<std::string> devices = {};  ///< selectors; empty for all
  enum class Form { page, json, schema };
  Form form = Form::page;
  std::vector<std::string> sources = {};                ///< as given to --source
  std::optional<std::chrono::nanoseconds> length = {};  ///< to watch or to play
  std::string daemon = {};                              ///< as given to --daemon; empty: wherever one is found
};

/// How much of a simulated machine's time is played for it unless somebody says otherwise.
inline constexpr std::chrono::minutes kPlayedForForecast{90};

/// `gpukeeper forecast`: what every GPU's temperature and memory will be, and when a limit is reached.
Exit forecast(const ForecastOptions& options, Context& context);

/// The page that it shows.
std::string render_forecasts(const forecast::ForecastView& view, const RenderOptions& render);

}  // namespace gpukeeper::cli
