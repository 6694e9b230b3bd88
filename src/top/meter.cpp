#include "top/meter.hpp"

#include <algorithm>
#include <cmath>

namespace gpukeeper::top {
namespace {

constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

std::string text_of(char32_t glyph, std::size_t times) {
  const char bytes[] = {static_cast<char>(0xe0 | (glyph >> 12)), static_cast<char>(0x80 | ((glyph >> 6) & 0x3f)),
                        static_cast<char>(0x80 | (glyph & 0x3f))};  // all signs of meters have three
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text.append(bytes, sizeof bytes);
  return text;
}

double sane(double share) {
  return std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0;
}

}  // namespace

void draw_meter(const Area& area, std::size_t x, std::size_t y, std::size_t width, const std::vector<MeterPart>& parts,
                const std::vector<MeterMark>& marks) {
  if (width == 0) return;
  area.put(x, y, text_of(U'░', width), {Role::track}, width);
  std::size_t at = 0;
  const auto left = [&] { return width - at; };
  if (parts.size() == 1) {
    const auto eighths = static_cast<std::size_t>(std::lround(sane(parts[0].share) * 8 * static_cast<double>(width)));
    at += area.put(x, y, text_of(parts[0].glyph, eighths / 8), {parts[0].role}, left());
    if (left() > 0 && eighths % 8 != 0 && area.utf8()) {
      area.put(x + at, y, kEighths[eighths % 8], {parts[0].role}, left());
    }
  } else {
    double sum = 0;
    for (const MeterPart& part : parts) {
      sum += sane(part.share);
      const auto end = static_cast<std::size_t>(std::lround(sane(sum) * static_cast<double>(width)));
      std::size_t columns = end > at ? end - at : 0;
      if (columns == 0 && part.share > 0) columns = 1;
      columns = std::min(columns, left());
      at += area.put(x + at, y, text_of(part.glyph, columns), {part.role}, left());
    }
  }
  for (const MeterMark& mark : marks) {
    const auto column = static_cast<std::size_t>(std::lround(sane(mark.share) * static_cast<double>(width - 1)));
    area.put(x + column, y, text_of(mark.glyph, 1), {mark.role, true}, 1);
  }
}

}  // namespace gpukeeper::top
