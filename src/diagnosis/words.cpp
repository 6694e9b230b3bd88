#include "diagnosis/words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format/human.hpp"

namespace gpukeeper::diagnosis {

std::string text(Celsius temperature) {
  return fmt::format("{:.0f} °C", temperature.value());
}

std::string text(Watts power) {
  return power.value() < 9.95 ? fmt::format("{:.1f} W", power.value()) : fmt::format("{:.0f} W", power.value());
}

std::string text(Percent share) {
  return fmt::format("{:.0f} %", share.value());
}

std::string text(Megahertz clock) {
  return fmt::format("{:.0f} MHz", clock.value());
}

std::string text(Bytes size) {
  return size_text(size.value());
}

std::string listed(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? " and " : ", ";
    result += words[i];
  }
  return result;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string sentence(std::string words) {
  if (words.empty()) return words;
  // "nvmlDeviceGetName", "python3" and "i915:" stay as they are written.
  const auto first = words.substr(0, words.find(' '));
  const bool plain = std::ranges::all_of(first, [](char c) { return (c >= 'a' && c <= 'z') || c == ','; });
  if (plain) words.front() = static_cast<char>(words.front() - 'a' + 'A');
  if (!words.ends_with('.') && !words.ends_with('?') && !words.ends_with('!')) words += '.';
  return words;
}

}  // namespace gpukeeper::diagnosis
