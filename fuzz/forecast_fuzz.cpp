// Whatever a daemon answers: a page can be made of what is taken for forecasts, and it is written so that it is read
// again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/forecast.hpp"
#include "forecast/forecast_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const auto view = forecast::parse_forecasts({reinterpret_cast<const char*>(data), size});
  if (!view) return 0;
  if (cli::render_forecasts(*view, {}).empty()) std::abort();
  const auto again = forecast::parse_forecasts(forecast::forecast_json(*view, false));
  if (!again || again->devices.size() != view->devices.size()) std::abort();
  return 0;
}
