#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::cli {

/// The candidate that a mistyped word most likely meant: fewest insertions, deletions, substitutions and swaps of
/// neighbours; or one that the word begins or is a part of. Empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace gpukeeper::cli
