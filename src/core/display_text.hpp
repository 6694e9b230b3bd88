#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper {

/// Columns that one code point takes on a terminal: 0 for combining marks and format characters, 2 for East Asian wide
/// ones and emoji, else 1. From a table of our own, as libc's answer depends on the locale. An emoji joined of several
/// counts each: terminals differ, and too much room is only a gap.
std::size_t display_width(char32_t code_point);

/// Columns that a UTF-8 text takes; a byte that is no UTF-8 counts as one.
std::size_t display_width(std::string_view text);

/// The text made harmless for a terminal: a control character (so every escape sequence), a bidirectional override, a
/// line separator or a byte that is no UTF-8 becomes "?". Without utf8 everything outside ASCII does.
/// Names come from drivers and from processes, and a process may call itself anything.
std::string harmless(std::string_view text, bool utf8 = true);

/// At most `width` columns of the text; what is cut ends in "…", or in "." without utf8.
std::string fit(std::string_view text, std::size_t width, bool utf8 = true);

/// The words of the text in lines of at most `width` columns; a longer word is broken.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace gpukeeper
