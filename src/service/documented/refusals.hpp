#pragma once

#include <string_view>

#include "service/http.hpp"

namespace gpukeeper::service::documented {

/// Whether a path belongs to the documented systems: `/api/…`, but for `/api/v1/…`.
bool is_documented(std::string_view path);

/// An answer as clients of the documented systems expect it, where `path` is one of theirs: a problem document becomes
/// {"error": …, "success": false} with the same status, OPTIONS is answered with 200. Any other answer stays as it is,
/// and so does one that comes later.
Response in_their_words(std::string_view method, std::string_view path, Response response);

}  // namespace gpukeeper::service::documented
