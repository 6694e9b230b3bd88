#include "recording/notes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gpukeeper::recording {

void Notes::say(std::string sentence) {
  if (said_.size() < kAtMost && std::ranges::find(said_, sentence) == said_.end()) said_.push_back(std::move(sentence));
}

std::vector<std::string> Notes::sentences() const {
  auto result = said_;
  if (!unknown_.empty()) {
    result.push_back(fmt::format("it holds metrics that this gpukeeper does not know: {}", fmt::join(unknown_, ", ")));
  }
  if (!wrong_.empty()) {
    result.push_back(fmt::format("it holds values that are none, which are left out: {}", fmt::join(wrong_, ", ")));
  }
  return result;
}

}  // namespace gpukeeper::recording
