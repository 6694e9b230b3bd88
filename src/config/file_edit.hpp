#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/effective.hpp"
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

/// Puts a text in the place of a file, at once: whoever reads it sees the old one or the new one, also after a crash.
/// Mode and owner stay as they are; a new file gets 0644, and its folder is made. A symbolic link stays one.
/// Errors: as the kernel says, "write /etc/…: Permission denied".
Result<void> replace_file(const std::string& path, std::string_view text);

}  // namespace gpukeeper::config
