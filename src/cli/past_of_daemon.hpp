#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/context.hpp"

namespace gpukeeper::cli {

/// A path with parameters, percent-encoded (RFC 3986, 2.1). One with an empty value is left out.
std::string target_of(std::string_view path, const std::vector<std::pair<std::string_view, std::string>>& parameters);

/// What the running daemon answers to a GET of that target, for commands that look back: it remembers a day. Nothing
/// when none runs, or none that this user may ask or that answers, which is remarked. Errors: what the daemon refuses,
/// in its own words; where somebody says where it is, whatever keeps it from answering.
Result<std::optional<std::string>> ask_daemon(const std::string& target, const std::string& named, Context& context);

}  // namespace gpukeeper::cli
