#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "forecast/forecast_view.hpp"

namespace gpukeeper::forecast {

/// gpukeeper.forecast/1: per device and metric what is expected, its interval and errors, and when limits are reached.
std::string forecast_json(const ForecastView& view, bool indented);

/// The JSON Schema (2020-12) of that document.
std::string forecast_schema();

/// What forecast_json wrote, read again: for who shows what a daemon answered.
/// Errors: internal for anything else.
Result<ForecastView> parse_forecasts(std::string_view json);

}  // namespace gpukeeper::forecast
