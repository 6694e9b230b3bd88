#pragma once

#include <string>
#include <string_view>

namespace gpukeeper::report {

/// A text that somebody else chose, fit for HTML and SVG between tags and between quotes: control characters,
/// directions of writing and bytes that are no UTF-8 become "?", & < > " ' are spelled.
std::string escaped(std::string_view text);

}  // namespace gpukeeper::report
