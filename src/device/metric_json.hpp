#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device/metric_fields.hpp"

namespace gpukeeper {

/// A metric's value as JSON has it (nlohmann's, of any order of members); nothing when the field cannot have it.
template <class Json>
std::optional<MetricValue> metric_value_from(FieldKind kind, const Json& json) {
  switch (kind) {
    case FieldKind::number:
      if (json.is_number()) return json.template get<double>();
      break;
    case FieldKind::whole:
      if (json.is_number_unsigned()) return json.template get<std::uint64_t>();
      break;
    case FieldKind::flag:
      if (json.is_boolean()) return json.template get<bool>();
      break;
    case FieldKind::text:
    case FieldKind::throttle_reasons:
      if (json.is_string()) return json.template get<std::string>();
      break;
  }
  return std::nullopt;
}

}  // namespace gpukeeper
