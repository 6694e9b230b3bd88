#include "top/theme.hpp"

#include <algorithm>

namespace gpukeeper::top {
namespace {

// In the order of Role. Of 256: xterm's cube; of 16: the basic colours and, from 8 on, their bright ones.
constexpr Theme kThemes[] = {
    {"standard",
     "for dark backgrounds",
     {{-1, -1},
      {244, 8, false, true},
      {-1, -1, true},
      {80, 6, true},
      {77, 2},
      {75, 4},
      {215, 3},
      {203, 1, true},
      {246, 7},
      {75, 4},
      {180, 3},
      {241, 8},
      {238, 8, false, true}},
     237},
    {"light",
     "for light backgrounds",
     {{-1, -1},
      {242, 8, false, true},
      {-1, -1, true},
      {24, 4, true},
      {28, 2},
      {25, 4},
      {130, 3},
      {160, 1, true},
      {243, 8},
      {25, 4},
      {136, 3},
      {247, 8},
      {252, 7, false, true}},
     254},
    // After Okabe and Ito (2008): told apart by those who see red and green, or blue and yellow, alike.
    {"colour-blind",
     "told apart by everybody",
     {{-1, -1},
      {246, 8, false, true},
      {-1, -1, true},
      {228, 3, true},
      {36, 6},
      {74, 4},
      {214, 3},
      {166, 1, true},
      {250, 7},
      {74, 4},
      {175, 5},
      {243, 8},
      {239, 8, false, true}},
     238},
    {"contrast",
     "bright on dark, nothing dimmed",
     {{231, 15},
      {252, 7},
      {231, 15, true},
      {51, 14, true},
      {46, 10, true},
      {117, 12, true},
      {214, 11, true},
      {197, 9, true},
      {255, 15},
      {117, 12},
      {226, 11},
      {252, 7},
      {250, 7}},
     19},
    {"mono",
     "no colours",
     {{},
      {-1, -1, false, true},
      {-1, -1, true},
      {-1, -1, true},
      {},
      {},
      {-1, -1, true},
      {-1, -1, true},
      {},
      {},
      {},
      {},
      {-1, -1, false, true}},
     -1},
};

}  // namespace

std::span<const Theme> themes() {
  return kThemes;
}

const Theme* find_theme(std::string_view name) {
  const auto* found = std::ranges::find(kThemes, name, &Theme::name);
  return found == std::end(kThemes) ? nullptr : found;
}

const Theme& next_theme(const Theme& theme) {
  const auto* found = find_theme(theme.name);
  return found == nullptr || found + 1 == std::end(kThemes) ? kThemes[0] : found[1];
}

}  // namespace gpukeeper::top
