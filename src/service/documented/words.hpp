#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/device.hpp"
#include "device/metric.hpp"
#include "service/http.hpp"

// Included by source files only: the library is heavy.

/// How the documented systems write. Both were Flask applications: keys in alphabetical order, no blanks, everything
/// beyond ASCII as \uXXXX, one line end.
namespace gpukeeper::service::documented {

using Json = nlohmann::json;  // keys in order, other than elsewhere in gpukeeper

Response answer(unsigned status, const Json& document);

/// {"data": …, "success": true}
Response succeeded(Json data);

/// {"error": …, "success": false}. `detail`: what else is to be said where the error is a documented text.
Response failed(unsigned status, std::string_view error, std::string_view detail = {});

/// {"data": …, "message": …, "success": true}; without `data` where it is null.
Response done(std::string_view message, Json data = nullptr);

/// The JSON of a request's body. Errors: the answer, 415 for another content type and 400 for what is no JSON, with the
/// texts that Flask has for them.
tl::expected<Json, Response> body_of(const Request& request);

/// As Flask reads a number in a query: what is none is as good as absent.
std::optional<std::int64_t> number_in_query(const Request& request, const std::string& name);

/// The index in ?gpu_id=, 0 where there is none. There may be no such GPU.
std::int64_t gpu_in_query(const Request& request);

/// "2026-05-28T20:26:40.250000": local time without an offset, as Python's isoformat(); without a fraction where it is
/// zero.
std::string local_time(WallTime time);

/// Seconds since 1970.
double unix_time(WallTime time);

/// With a fraction, always: 8188.0.
double mebibytes(Bytes size);

/// The number of a metric, or null.
template <class Quantity>
Json number_or_null(const Metric<Quantity>& metric) {
  return metric ? Json(static_cast<double>(metric->value())) : Json();
}

/// Says of an object about a device that it is of no GPU of this machine, with `simulated` or `recorded`. What is real
/// gets no key beyond the documented ones.
void label(Json& object, const Device& device);

}  // namespace gpukeeper::service::documented
