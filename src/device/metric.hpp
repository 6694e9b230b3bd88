#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "core/result.hpp"

namespace gpukeeper {

/// Why a value is absent. It travels with the metric up to the last pixel: absent is not zero.
enum class Missing {
  not_supported,  ///< this device, driver or source does not report it
  not_permitted,  ///< it is there, but this user may not read it
  not_yet_read,   ///< it needs a second reading, or its turn has not come
  asleep,         ///< the device is runtime-suspended, and reading would wake it
  failed,         ///< the driver answered with an error
};

/// "not_supported" and so on, as it stands in JSON.
std::string_view to_string(Missing reason);

/// A short phrase for people: "not reported by this device".
std::string_view describe(Missing reason);

/// The reason that stands for a failed access to one metric of a device that is otherwise there.
Missing missing_from(Errc code);

template <class T>
using Metric = tl::expected<T, Missing>;

inline tl::unexpected<Missing> missing(Missing reason) {
  return tl::unexpected<Missing>(reason);
}

/// A metric out of a result: the value, or why it is not there.
template <class T>
Metric<T> to_metric(const Result<T>& result) {
  if (result) return *result;
  return missing(missing_from(result.error().code));
}

}  // namespace gpukeeper
