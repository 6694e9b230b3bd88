#include "cli/render.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "cli/display_text.hpp"

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

std::tm broken_down(std::chrono::seconds since_epoch) {
  const std::time_t time = since_epoch.count();
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return parts;
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

std::string size_text(std::uint64_t bytes) {
  const auto scaled = [&](int shift) { return static_cast<double>(bytes) / static_cast<double>(1ull << shift); };
  if (bytes >= 1ull << 40) return fmt::format("{:.1f} TiB", scaled(40));
  if (bytes >= 1ull << 30) return fmt::format("{:.1f} GiB", scaled(30));
  if (bytes >= 1ull << 20 || bytes == 0) return fmt::format("{:.0f} MiB", scaled(20));
  return fmt::format("{:.0f} KiB", std::ceil(scaled(10)));
}

std::string rfc3339(WallTime time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const std::tm t = broken_down(seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec, (milliseconds - seconds).count());
}

std::string local_time(WallTime time, std::chrono::seconds utc_offset) {
  const std::tm t = broken_down(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()) + utc_offset);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::string age_text(std::chrono::nanoseconds age) {
  const auto seconds = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count(), 0);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace gpukeeper::cli
