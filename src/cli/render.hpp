#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace gpukeeper::cli {

/// What a page for people is made for. Everything that renders takes this and data, and returns text.
struct RenderOptions {
  std::size_t width = 80;
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

/// A bar of `width` columns filled to `percent`, in two spans: "━━━━╸─────", or "=====-----" without UTF-8.
std::vector<Span> bar(double percent, std::size_t width, Ink ink, bool utf8);

/// "12.1 GiB", "512 MiB", "0 MiB": a size for people, in powers of 1024.
std::string size_text(std::uint64_t bytes);

/// RFC 3339 in UTC with milliseconds: "2026-05-28T19:46:40.000Z".
std::string rfc3339(WallTime time);

/// For people, in the reader's time zone: "2026-05-28 21:46:40".
std::string local_time(WallTime time, std::chrono::seconds utc_offset);

/// How long ago, for people: "12 s", "5 min", "3 h", "2 d".
std::string age_text(std::chrono::nanoseconds age);

}  // namespace gpukeeper::cli
