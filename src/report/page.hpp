#pragma once

#include <string>
#include <string_view>

namespace gpukeeper::report {

/// A whole HTML document that needs nothing else: no script, no font, no request. `title` may hold anything; `body` is
/// markup. Its style has light and dark, and is made for paper too.
std::string page(std::string_view title, std::string_view body);

/// What of such a page a browser may load or run: its own style alone. As the page has it in itself, for an answer's
/// Content-Security-Policy.
std::string_view page_policy();

}  // namespace gpukeeper::report
