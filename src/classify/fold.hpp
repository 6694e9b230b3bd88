#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace gpukeeper::classify {

/// What rules take for the same character: a and A, - and _ (--batch_size), / and \ (paths under Wine).
constexpr char fold(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  if (c == '_') return '-';
  return c == '\\' ? '/' : c;
}

inline std::string folded(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), fold);
  return result;
}

inline bool is_letter(char c) {
  const char lower = fold(c);
  return (lower >= 'a' && lower <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace gpukeeper::classify
