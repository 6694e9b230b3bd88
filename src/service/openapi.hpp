#pragma once

#include <span>
#include <string>
#include <string_view>

#include "service/router.hpp"

namespace gpukeeper::service {

/// The routes as an OpenAPI 3.1 document: an operation a row, made of the row's own columns, with the schemas of
/// docs/schema, which are in the binary. With a line end.
/// Throws logic_error for a row that names a schema which there is not.
std::string openapi(std::span<const Route> routes, const std::string& version);

/// The text of docs/schema/NAME.json, as it was when this was built; empty for a name that there is not.
std::string_view schema_text(std::string_view name);

/// The names that there are.
std::span<const std::string_view> schema_names();

}  // namespace gpukeeper::service
