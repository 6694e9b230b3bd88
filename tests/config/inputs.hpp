#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/effective.hpp"

namespace gpukeeper::config {

inline Variable variables(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

/// "temp_throttle=60" and so on; each must be one.
inline std::vector<Assignment> assigned(const std::vector<std::string>& texts, std::string_view place = "--set") {
  std::vector<Assignment> result;
  for (const std::string& text : texts) {
    auto each = parse_assignment(text, place);
    if (!each) throw std::runtime_error(each.error().message);
    result.push_back(std::move(*each));
  }
  return result;
}

inline Result<Effective> from_file(std::string text) {
  return effective({.file = File{"f.yaml", std::move(text)}});
}

/// What is said of a file that is wrong.
inline std::string refusal_of(std::string text) {
  const auto result = from_file(std::move(text));
  return result ? "taken" : result.error().message;
}

}  // namespace gpukeeper::config
