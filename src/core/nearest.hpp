#pragma once

#include <span>
#include <string_view>

namespace gpukeeper {

/// The known word that a mistyped one most likely meant: one that it begins ("power" for "power_watts": the unit left
/// off is the commonest slip with metrics), else the one with the fewest insertions, deletions, substitutions and swaps
/// of neighbours, else one that it is a part of. Empty when none is near.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> known);

}  // namespace gpukeeper
