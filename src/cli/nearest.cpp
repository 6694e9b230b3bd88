#include "cli/nearest.hpp"

#include <algorithm>

namespace gpukeeper::cli {
namespace {

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
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

constexpr std::size_t kLongestWord = 64;  // the cost grows with the square; nobody types a longer name by mistake

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const auto candidate : candidates) {
    if (const auto d = distance(word, candidate); d < least) {
      best = candidate;
      least = d;
    }
  }
  if (!best.empty() || word.size() < 3) return best;
  for (const auto candidate : candidates) {
    if (candidate.find(word) != std::string_view::npos) return candidate;  // "power" means "power_watts", the first
  }
  return {};
}

}  // namespace gpukeeper::cli
