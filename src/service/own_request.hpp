#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// What this very process asks of answers that are made without a socket: it may do everything, as what they are about
/// is its own. `body`: JSON, or empty for none; `name` stands in logs: "this command".
/// Errors: as for parse_target.
Result<Request> own_request(std::string_view method, std::string_view target, std::string_view body,
                            std::string_view name);

}  // namespace gpukeeper::service
