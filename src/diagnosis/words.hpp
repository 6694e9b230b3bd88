#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"

// Values and lists as they stand in a sentence.
namespace gpukeeper::diagnosis {

std::string text(Celsius temperature);  ///< "65 °C"
std::string text(Watts power);          ///< "329 W", "7.5 W"
std::string text(Percent share);        ///< "73 %"
std::string text(Megahertz clock);      ///< "1980 MHz"
std::string text(Bytes size);           ///< "17.4 GiB"

/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& words);

/// "1 process", "3 processes".
std::string counted(std::size_t count, std::string_view one, std::string_view many);

/// The words as a sentence: with a full stop at its end and, unless the first word is a name, a capital at its head.
std::string sentence(std::string words);

}  // namespace gpukeeper::diagnosis
