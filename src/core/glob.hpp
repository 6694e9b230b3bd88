#pragma once

#include <string_view>

namespace gpukeeper {

/// Whether a glob fits the whole text, case and all: `*` for any characters, `?` for one byte. At worst it takes
/// pattern times text.
bool fits(std::string_view glob, std::string_view text);

/// The same where ASCII letters of both cases are one: for what people call things.
bool fits_ignoring_case(std::string_view glob, std::string_view text);

}  // namespace gpukeeper
