#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "backend/simulated/curve.hpp"
#include "device/metric_fields.hpp"
#include "yaml/values.hpp"

// Values and curves out of a YAML tree; as in yaml/values.hpp, a mistake is thrown as yaml::Refused.
namespace gpukeeper::simulated {

/// What the value of a metric, a process's memory and so on must be.
struct ValueType {
  std::string_view name;
  FieldKind kind = FieldKind::number;
  double min = 0;
  double max = 0;
  bool size = false;      ///< takes "80GiB"
  bool duration = false;  ///< takes "90s"
};

ValueType type_of(const MetricField& field);

/// A number of such a type.
double number(const yaml::YamlNode& node, const ValueType& type);

/// A curve in any of its forms.
Curve curve(const yaml::YamlNode& node, const ValueType& type);

/// The words for the reasons of an absent metric.
inline constexpr std::pair<std::string_view, Missing> kReasons[] = {{"not_supported", Missing::not_supported},
                                                                    {"not_permitted", Missing::not_permitted},
                                                                    {"not_yet_read", Missing::not_yet_read},
                                                                    {"asleep", Missing::asleep},
                                                                    {"failed", Missing::failed}};

/// Every key that a curve or a part of one knows.
std::vector<std::string_view> curve_keys();

}  // namespace gpukeeper::simulated
