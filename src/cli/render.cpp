#include "cli/render.hpp"

#include <algorithm>
#include <cmath>

#include "core/display_text.hpp"

namespace gpukeeper::cli {
namespace {

// The sixteen colours that a user's own theme defines: they are readable on light and on dark.
std::string_view escape_of(Ink ink) {
  switch (ink) {
    case Ink::plain: return "";
    case Ink::faint: return "\x1b[2m";
    case Ink::strong: return "\x1b[1m";
    case Ink::good: return "\x1b[32m";
    case Ink::warn: return "\x1b[33m";
    case Ink::bad: return "\x1b[1;31m";
  }
  return "";
}

}  // namespace

std::string paint(const std::vector<Span>& line, const RenderOptions& options) {
  std::string result;
  std::size_t left = options.width;
  std::size_t last = line.size();  // blanks at the end of a line are not written
  while (last > 0 && line[last - 1].text.find_first_not_of(' ') == std::string::npos) --last;
  for (std::size_t i = 0; i < last && left > 0; ++i) {
    std::string text = fit(line[i].text, left, options.utf8);
    left -= std::min(left, display_width(text));
    if (i + 1 == last) text.erase(text.find_last_not_of(' ') + 1);
    const auto escape = options.colour ? escape_of(line[i].ink) : std::string_view();
    result += escape;
    result += text;
    if (!escape.empty()) result += "\x1b[0m";
  }
  return result;
}

std::string spelled(std::string text, bool utf8) {
  if (utf8) return text;
  constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"°C", "C"}, {"…", "..."}};
  for (const auto& [sign, plain] : kSigns) {
    for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign, at + plain.size())) {
      text.replace(at, sign.size(), plain);
    }
  }
  return text;
}

std::vector<Span> bar(double percent, std::size_t width, Ink ink, bool utf8) {
  const double share = std::clamp(percent, 0.0, 100.0) / 100;
  const auto halves = static_cast<std::size_t>(std::lround(share * 2 * static_cast<double>(width)));
  const std::size_t full = utf8 ? halves / 2 : (halves + 1) / 2;
  std::string filled;
  for (std::size_t i = 0; i < full; ++i) filled += utf8 ? "━" : "=";
  const bool half = utf8 && halves % 2 != 0;
  if (half) filled += "╸";
  std::string rest;
  for (std::size_t i = full + (half ? 1 : 0); i < width; ++i) rest += utf8 ? "─" : "-";
  return {{std::move(filled), ink}, {std::move(rest), Ink::faint}};
}

}  // namespace gpukeeper::cli
