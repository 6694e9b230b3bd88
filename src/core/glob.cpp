#include "core/glob.hpp"

#include <cctype>
#include <cstddef>

namespace gpukeeper {
namespace {

// The usual two-finger walk: after a mismatch the last `*` takes one more character. No recursion, and no worse than
// pattern times text, whatever a process calls itself.
template <class Same>
bool walk(std::string_view glob, std::string_view text, Same same) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || same(glob[g], text[t]))) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

bool fits(std::string_view glob, std::string_view text) {
  return walk(glob, text, [](char a, char b) { return a == b; });
}

bool fits_ignoring_case(std::string_view glob, std::string_view text) {
  return walk(glob, text, [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace gpukeeper
