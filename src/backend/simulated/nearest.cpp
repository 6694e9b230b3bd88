#include "backend/simulated/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::simulated {
namespace {

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, changed}));
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string_view> known) {
  constexpr std::size_t kLongestWord = 64;  // longer than any key; a bound on the work for a hostile text
  if (typed.empty() || typed.size() > kLongestWord) return {};
  // The unit left off is the commonest slip with metrics: "temperature" for "temperature_celsius".
  for (const auto word : known) {
    if (typed.size() >= 3 && word.size() > typed.size() && word.starts_with(typed) && word[typed.size()] == '_') {
      return word;
    }
  }
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, typed.size() / 3) + 1;
  for (const auto word : known) {
    const std::size_t d = distance(typed, word);
    if (d < best_distance && d < word.size()) {
      best = word;
      best_distance = d;
    }
  }
  return best;
}

std::string suggestion(std::string_view typed, std::span<const std::string_view> known) {
  const auto word = nearest(typed, known);
  if (!word.empty()) return fmt::format("did you mean '{}'?", word);
  return fmt::format("known are: {}", fmt::join(known, ", "));
}

}  // namespace gpukeeper::simulated
