#include "top/canvas.hpp"

#include <algorithm>
#include <utility>

#include "core/display_text.hpp"

namespace gpukeeper::top {
namespace {

// What stands for our signs where there is only ASCII. The bars are those of format/sparkline.
constexpr std::pair<char32_t, char32_t> kSpelled[] = {
    {U'●', U'*'},   {U'▲', U'!'}, {U'■', U'X'}, {U'○', U'-'},  {U'◌', U'z'},     {U'▁', U'_'}, {U'▂', U'.'},
    {U'▃', U'-'},   {U'▄', U':'}, {U'▅', U'='}, {U'▆', U'+'},  {U'▇', U'*'},     {U'█', U'#'}, {U'▉', U'#'},
    {U'▊', U'#'},   {U'▋', U'#'}, {U'▌', U'#'}, {U'▍', U'-'},  {U'▎', U'-'},     {U'▏', U'-'}, {U'▓', U'%'},
    {U'▒', U'+'},   {U'░', U'.'}, {U'╎', U':'}, {U'┃', U'|'},  {U'─', U'-'},     {U'│', U'|'}, {U'┌', U'+'},
    {U'┐', U'+'},   {U'└', U'`'}, {U'┘', U'+'}, {U'├', U'|'},  {U'┤', U'|'},     {U'┬', U'+'}, {U'┴', U'+'},
    {U'…', U'.'},   {U'·', U'-'}, {U'–', U'-'}, {U'→', U'>'},  {U'←', U'<'},     {U'↑', U'^'}, {U'↓', U'v'},
    {U'⏸', U'='}, {U'▶', U'>'}, {U'×', U'x'}, {U'≥', U'>'},  {U'▾', U'v'},     {U'▴', U'^'}, {U'²', U'2'},
    {U'₂', U'2'},   {U'“', U'"'}, {U'”', U'"'}, {U'’', U'\''}, {U'\u00a0', U' '}};

// 0: it is left out, as the degree in "64 °C".
char32_t spelled(char32_t glyph) {
  if (glyph < 0x80) return glyph;
  if (glyph == U'°') return 0;
  const auto* found = std::ranges::find(kSpelled, glyph, &std::pair<char32_t, char32_t>::first);
  return found == std::end(kSpelled) ? U'?' : found->second;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Of well-formed UTF-8, as harmless() leaves it.
char32_t next_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<char32_t>(static_cast<unsigned char>(text[i])) : char32_t(0);
  };
  const char32_t first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t point = size == 1 ? first : first & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) point = (point << 6) | (byte(i) & 0x3f);
  text.remove_prefix(std::min(size, text.size()));
  return point;
}

void append_utf8(std::string& text, char32_t point) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | (point >> 6));
    add(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    add(0xe0 | (point >> 12));
    add(0x80 | ((point >> 6) & 0x3f));
    add(0x80 | (point & 0x3f));
  } else {
    add(0xf0 | (point >> 18));
    add(0x80 | ((point >> 12) & 0x3f));
    add(0x80 | ((point >> 6) & 0x3f));
    add(0x80 | (point & 0x3f));
  }
}

}  // namespace

Canvas::Canvas(std::size_t width, std::size_t height, bool utf8)
    : width_(width), height_(height), utf8_(utf8), cells_(width * height) {}

std::size_t Canvas::put(std::size_t x, std::size_t y, std::string_view text, Style style, std::size_t most) {
  if (y >= height_ || x >= width_) return 0;
  const std::size_t room = std::min(most, width_ - x);
  const std::string safe = is_plain(text) ? std::string() : harmless(text);
  std::string_view rest = safe.empty() ? text : std::string_view(safe);
  std::size_t used = 0;
  while (!rest.empty() && used < room) {
    char32_t glyph = next_code_point(rest);
    if (!utf8_) glyph = spelled(glyph);
    const std::size_t columns = glyph == 0 ? 0 : display_width(glyph);
    if (columns == 0) continue;  // combining marks are dropped: a cell holds one character
    if (used + columns > room) break;
    Cell* cell = &cells_[y * width_ + x + used];
    *cell = {glyph, style};
    if (columns == 2) cell[1] = {0, style};
    used += columns;
  }
  return used;
}

void Canvas::put_cell(std::size_t x, std::size_t y, const Cell& cell) {
  if (x < width_ && y < height_) cells_[y * width_ + x] = cell;
}

void Canvas::fill(const Rect& rect, char32_t glyph, Style style) {
  if (!utf8_) glyph = spelled(glyph);
  for (std::size_t y = rect.y; y < std::min(rect.y + rect.height, height_); ++y) {
    for (std::size_t x = rect.x; x < std::min(rect.x + rect.width, width_); ++x)
      cells_[y * width_ + x] = {glyph, style};
  }
}

void Canvas::select(const Rect& rect) {
  for (std::size_t y = rect.y; y < std::min(rect.y + rect.height, height_); ++y) {
    for (std::size_t x = rect.x; x < std::min(rect.x + rect.width, width_); ++x) {
      cells_[y * width_ + x].style.selected = true;
    }
  }
}

std::string Canvas::text() const {
  std::string all;
  for (std::size_t y = 0; y < height_; ++y) {
    std::string row;
    std::size_t used = 0;  // without trailing blanks
    for (std::size_t x = 0; x < width_; ++x) {
      const char32_t glyph = at(x, y).glyph;
      if (glyph == 0) continue;
      append_utf8(row, glyph);
      if (glyph != U' ') used = row.size();
    }
    row.resize(used);
    all += row + '\n';
  }
  return all;
}

Area::Area(Canvas& canvas, const Rect& rect) : canvas_(canvas), rect_(rect) {
  rect_.x = std::min(rect_.x, canvas.width());
  rect_.y = std::min(rect_.y, canvas.height());
  rect_.width = std::min(rect_.width, canvas.width() - rect_.x);
  rect_.height = std::min(rect_.height, canvas.height() - rect_.y);
}

Area Area::part(const Rect& inner) const {
  const std::size_t x = std::min(inner.x, rect_.width), y = std::min(inner.y, rect_.height);
  return {canvas_,
          {rect_.x + x, rect_.y + y, std::min(inner.width, rect_.width - x), std::min(inner.height, rect_.height - y)}};
}

std::size_t Area::put(std::size_t x, std::size_t y, std::string_view text, Style style, std::size_t most) const {
  if (x >= rect_.width || y >= rect_.height) return 0;
  const std::size_t room = std::min(most, rect_.width - x);
  if (text.size() <= room || display_width(text) <= room) {
    return canvas_.put(rect_.x + x, rect_.y + y, text, style, room);
  }
  return canvas_.put(rect_.x + x, rect_.y + y, fit(harmless(text), room), style, room);
}

void Area::put_right(std::size_t end, std::size_t y, std::string_view text, Style style) const {
  std::size_t columns = display_width(text);
  if (!utf8() && text.find("°") != std::string_view::npos) --columns;  // it is left out
  if (columns <= end) put(end - columns, y, text, style);
}

std::size_t Area::line(std::size_t x, std::size_t y, const std::vector<Span>& spans) const {
  for (const Span& span : spans) x += put(x, y, span.text, span.style);
  return x;
}

void Area::put_glyph(std::size_t x, std::size_t y, const Cell& cell) const {
  if (x < rect_.width && y < rect_.height) canvas_.put_cell(rect_.x + x, rect_.y + y, cell);
}

void Area::fill(std::size_t y, char32_t glyph, Style style) const {
  if (y < rect_.height) canvas_.fill({rect_.x, rect_.y + y, rect_.width, 1}, glyph, style);
}

void Area::clear() const {
  canvas_.fill(rect_, U' ', {});
}

void Area::select(std::size_t y) const {
  if (y < rect_.height) canvas_.select({rect_.x, rect_.y + y, rect_.width, 1});
}

}  // namespace gpukeeper::top
