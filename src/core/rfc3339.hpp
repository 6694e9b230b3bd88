#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace gpukeeper {

/// RFC 3339 in UTC with milliseconds: "2026-05-28T19:46:40.000Z".
std::string rfc3339(WallTime time);

/// Reads what RFC 3339 allows: "2026-05-28T19:46:40Z", "2026-05-28 21:46:40.5+02:00". Digits behind the millisecond are
/// left out. Nothing for anything else, and for years before 1970 or after 2199.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace gpukeeper
