#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "top/theme.hpp"

// What is to stand on the screen, as data: drawn by pure functions, compared by tests, shown by a terminal.
namespace gpukeeper::top {

/// How a character looks.
struct Style {
  Role role = Role::text;
  bool bold = false;
  bool selected = false;  ///< of the row that the cursor is on
  friend bool operator==(const Style&, const Style&) = default;
};

/// One column of one row.
struct Cell {
  char32_t glyph = U' ';  ///< 0: covered by the wide character left of it
  Style style = {};
  friend bool operator==(const Cell&, const Cell&) = default;
};

struct Rect {
  std::size_t x = 0, y = 0, width = 0, height = 0;
  bool holds(std::size_t px, std::size_t py) const { return px >= x && px < x + width && py >= y && py < y + height; }
  friend bool operator==(const Rect&, const Rect&) = default;
};

/// A piece of a line.
struct Span {
  std::string text;
  Style style = {};
  Span(std::string words, Style look = {}) : text(std::move(words)), style(look) {}
  Span(const char* words, Style look = {}) : text(words), style(look) {}
  Span(std::string_view words, Style look = {}) : text(words), style(look) {}
};

/// Rows of cells. Whatever is put is made harmless (core/display_text.hpp), and where the terminal has no UTF-8 each
/// sign becomes one of ASCII that means the same, so that who draws need not care.
class Canvas {
 public:
  Canvas(std::size_t width, std::size_t height, bool utf8 = true);

  std::size_t width() const { return width_; }
  std::size_t height() const { return height_; }
  bool utf8() const { return utf8_; }
  const Cell& at(std::size_t x, std::size_t y) const { return cells_[y * width_ + x]; }

  /// Puts the text there, at most `most` columns of it, none outside of the canvas; returns the columns used.
  std::size_t put(std::size_t x, std::size_t y, std::string_view text, Style style, std::size_t most);
  void put_cell(std::size_t x, std::size_t y, const Cell& cell);
  void fill(const Rect& rect, char32_t glyph, Style style);
  /// The row looks selected, whatever stands in it.
  void select(const Rect& rect);

  /// The rows as UTF-8 with their trailing blanks cut, each with a line feed: for tests and for who wants a picture.
  std::string text() const;

 private:
  std::size_t width_, height_;
  bool utf8_;
  std::vector<Cell> cells_;
};

/// A rectangle of a canvas with coordinates of its own; nothing that is drawn leaves it.
class Area {
 public:
  Area(Canvas& canvas, const Rect& rect);

  std::size_t width() const { return rect_.width; }
  std::size_t height() const { return rect_.height; }
  const Rect& rect() const { return rect_; }  ///< on the canvas
  Area part(const Rect& inner) const;

  /// As Canvas::put; what does not fit ends in "…".
  std::size_t put(std::size_t x, std::size_t y, std::string_view text, Style style = {}, std::size_t most = kAll) const;
  /// The same with its end at `end`, the first column behind it.
  void put_right(std::size_t end, std::size_t y, std::string_view text, Style style = {}) const;
  /// The pieces one after the other; returns the column behind them.
  std::size_t line(std::size_t x, std::size_t y, const std::vector<Span>& spans) const;
  /// A cell as it is, such as one of another canvas.
  void put_glyph(std::size_t x, std::size_t y, const Cell& cell) const;
  void fill(std::size_t y, char32_t glyph, Style style) const;
  void clear() const;
  void select(std::size_t y) const;
  bool utf8() const { return canvas_.utf8(); }

  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);

 private:
  Canvas& canvas_;
  Rect rect_;
};

}  // namespace gpukeeper::top
