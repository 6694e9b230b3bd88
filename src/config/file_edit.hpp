#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/effective.hpp"
#include "core/replace_file.hpp"
#include "core/result.hpp"

namespace gpukeeper::config {

/// The text of a configuration file with these keys set, and all else as it was: other keys, comments, empty lines. A
/// key that stands there is replaced in its place; one that does not is written at the end of its section, or of the
/// file.
///
/// Every edit is read again: only a text that says what was wanted, and nothing else anew, is given back.
/// Errors: invalid_argument when `text` is no configuration; not_supported when it is written in a way that cannot be
/// edited (an alias, a value over several lines in quotes); the message names the key that is to be edited by hand.
Result<std::string> edited(std::string_view text, std::string_view file, std::span<const Assignment> assignments);

}  // namespace gpukeeper::config
