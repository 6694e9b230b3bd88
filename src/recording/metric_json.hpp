#pragma once

#include <limits>
#include <type_traits>

#include "recording/json.hpp"

// Single values, by what they are made of: what devices, processes and facts share.
namespace gpukeeper::recording {

/// How a value of a type stands in JSON. write() makes it; read() takes it and says whether it was one.
template <class T>
struct Plain;

template <>
struct Plain<std::string> {
  static Json write(const std::string& value) { return value; }
  static bool read(const Json& json, std::string& value) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return true;
  }
};

template <>
struct Plain<double> {
  static Json write(double value) { return number(value); }
  static bool read(const Json& json, double& value) {
    if (!json.is_number()) return false;
    value = json.get<double>();
    return true;
  }
};

template <class T>
requires std::is_integral_v<T>
struct Plain<T> {
  static Json write(T value) { return value; }
  static bool read(const Json& json, T& value) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if (json.is_number_unsigned() ? json.get<std::uint64_t>() > kMost
                                  : !std::is_signed_v<T> || !json.is_number_integer()) {
      return false;
    }
    value = json.get<T>();
    return true;
  }
};

template <class Tag, class Rep>
struct Plain<Quantity<Tag, Rep>> {
  static Json write(Quantity<Tag, Rep> value) {
    if constexpr (std::is_same_v<Tag, PercentTag>) return number(value.value(), "percent");
    return Plain<Rep>::write(value.value());
  }
  static bool read(const Json& json, Quantity<Tag, Rep>& value) {
    Rep plain{};
    if (!Plain<Rep>::read(json, plain)) return false;
    value = Quantity<Tag, Rep>(plain);
    return true;
  }
};

/// Writes a metric into an object, or nothing where it is absent for the reason that stands for all that is not
/// written.
template <class T>
void put(Json& object, std::string_view name, const Metric<T>& metric, Missing otherwise) {
  if (metric) {
    object[std::string(name)] = Plain<T>::write(*metric);
  } else if (metric.error() != otherwise) {
    object[std::string(name)] = {{"missing", to_string(metric.error())}};
  }
}

/// Reads such a metric; leaves it as it is where it is not written. `value`: any.
template <class T>
void get(const Json& object, std::string_view name, Metric<T>& metric, T value, Notes& notes) {
  const Json* json = member(object, name);
  if (json == nullptr) return;
  if (const auto reason = missing_from_json(*json)) {
    metric = missing(*reason);
  } else if (Plain<T>::read(*json, value)) {
    metric = std::move(value);
  } else {
    notes.wrong_value(std::string(name));
  }
}

}  // namespace gpukeeper::recording
