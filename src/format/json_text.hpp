#pragma once

#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "device/metric_table.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

using Json = nlohmann::ordered_json;

/// A metric's value: numbers rounded to three decimals as in every other output, never NaN or infinite.
inline Json to_json(const MetricValue& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    if (!std::isfinite(*number)) return nullptr;
    const double rounded = std::round(*number * 1000) / 1000;
    return rounded == 0 ? 0.0 : rounded;  // no "-0.0"
  }
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) return *whole;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  return std::get<std::string>(value);
}

template <class T>
Json or_null(const Metric<T>& metric) {
  return metric ? Json(*metric) : Json();
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

/// Null for an empty text.
inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// Bytes that are no UTF-8 become U+FFFD: a name may hold anything, the output is always JSON.
inline std::string dump(const Json& document, bool indented) {
  return document.dump(indented ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gpukeeper
