#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper {

/// Puts a text in the place of a file, at once: whoever reads it sees the old one or the new one, also after a crash.
/// Mode and owner stay as they are; a new file gets `mode`, and its folder is made. A symbolic link stays one.
/// Errors: as the kernel says, "write /etc/…: Permission denied".
Result<void> replace_file(const std::string& path, std::string_view text, unsigned mode = 0644);

}  // namespace gpukeeper
