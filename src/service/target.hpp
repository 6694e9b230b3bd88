#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper::service {

/// What a request's target (RFC 9112, 3.2) says.
struct Target {
  std::string authority;  ///< of the absolute form "http://host/path", which decides over Host; empty otherwise
  std::string path;       ///< percent-decoded; "*" for the asterisk form
  std::map<std::string, std::string> query;
};

/// Takes a target apart. Foreign input: bounded by the reader, refused rather than repaired.
/// Errors: invalid_argument; the message is the `detail` of the answer.
Result<Target> parse_target(std::string_view target);

}  // namespace gpukeeper::service
