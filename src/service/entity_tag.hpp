#pragma once

#include <algorithm>
#include <string_view>

#include "core/text.hpp"

namespace gpukeeper::service {

/// Whether an If-None-Match (RFC 9110, 13.1.2) names the tag, given with its quotes; weak ones are as good here.
inline bool has_tag(std::string_view if_none_match, std::string_view tag) {
  return std::ranges::any_of(split(if_none_match, ','), [&](std::string_view each) {
    each = trim(each);
    if (each.starts_with("W/")) each.remove_prefix(2);
    return each == "*" || each == tag;
  });
}

}  // namespace gpukeeper::service
