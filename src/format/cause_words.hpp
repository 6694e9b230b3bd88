#pragma once

#include <string_view>
#include <vector>

#include "device/reading.hpp"

namespace gpukeeper {

/// What slows a GPU down, in a word or two each, the worst first: "hw thermal", "power cap". Two causes that are called
/// the same stand there once; empty when nothing does, or when that is not known.
std::vector<std::string_view> cause_words(const Reading& reading);

}  // namespace gpukeeper
