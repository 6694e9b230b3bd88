#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "format/human.hpp"

namespace gpukeeper::cli {

/// What a page for people is made for. Everything that renders takes this and data, and returns text.
struct RenderOptions {
  std::size_t width = 80;
  std::string from = {};   ///< where the data come from when that is another machine (Feed::origin)
  std::size_t height = 0;  ///< rows that may be filled; 0 for any number
  bool colour = false;
  bool utf8 = true;
  bool steady = false;                 ///< one of many pages in one place: what comes and goes keeps its room
  WallTime now{};                      ///< when the page is read
  std::chrono::seconds utc_offset{0};  ///< of the reader's time zone at `now`
};

/// What a piece of text means. Colour is never the only sign of it: marks and words say the same.
enum class Ink { plain, faint, strong, good, warn, bad };

struct Span {
  std::string text;
  Ink ink = Ink::plain;
};

/// A line of pieces, cut at the page's width.
std::string paint(const std::vector<Span>& line, const RenderOptions& options);

/// The text with those signs spelled that a terminal without UTF-8 would show as question marks.
std::string spelled(std::string text, bool utf8);

/// A bar of `width` columns filled to `percent`, in two spans: "━━━━╸─────", or "=====-----" without UTF-8.
std::vector<Span> bar(double percent, std::size_t width, Ink ink, bool utf8);

}  // namespace gpukeeper::cli
