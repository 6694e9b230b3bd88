#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::simulated {

/// The word that a mistyped one most likely meant; empty when none is near.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> known);

/// What a message says after an unknown word: "did you mean 'seed'?", or when nothing is near, all the known words.
std::string suggestion(std::string_view typed, std::span<const std::string_view> known);

}  // namespace gpukeeper::simulated
