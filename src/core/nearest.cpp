#include "core/nearest.hpp"

#include <algorithm>
#include <vector>

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestWord = 64;  // the cost grows with the square; nobody types a longer name by mistake
constexpr std::size_t kLeastPart = 3;     // letters that may stand for a whole word

// Optimal string alignment: Levenshtein's distance with swaps of two neighbours counted as one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string_view> known) {
  if (typed.empty() || typed.size() > kLongestWord) return {};
  const bool may_be_part = typed.size() >= kLeastPart;
  for (const auto word : known) {
    if (may_be_part && word.starts_with(typed)) return word;
  }
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, typed.size() / 3) + 1;
  for (const auto word : known) {
    // A word of two letters is two changes away from every other: that is no likeness.
    if (const auto d = distance(typed, word); d < least && d < std::min(word.size(), typed.size())) {
      best = word;
      least = d;
    }
  }
  if (!best.empty() || !may_be_part) return best;
  for (const auto word : known) {
    if (word.find(typed) != std::string_view::npos) return word;
  }
  return {};
}

}  // namespace gpukeeper
