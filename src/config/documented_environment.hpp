#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::config {

/// What a variable of the documented deployments says, as a key of ours.
struct DocumentedSetting {
  std::string variable;  ///< "API_RATE_LIMIT"; "HOST, PORT" of two
  std::string key;       ///< "http.requests_per_minute"
  std::string text;      ///< as after --set
};

/// The documented variables that are set and whose values differ from those of their keys (documented.hpp has the plain
/// ones), by other names than GPUKEEPER_…; those stand above these, which stand above
/// the file. HOST and PORT count together only: shells and hosting platforms set one of them for others.
std::vector<DocumentedSetting> documented_settings(
    const std::function<std::optional<std::string>(std::string_view)>& environment);

/// A sentence for each of the documented variables that is set and means nothing here, with what does instead.
std::vector<std::string> unheeded_variables(
    const std::function<std::optional<std::string>(std::string_view)>& environment);

}  // namespace gpukeeper::config
