#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/render.hpp"

namespace gpukeeper::cli {

/// A cell: one or several pieces of text. Texts must be printable already.
struct Cell {
  Cell() = default;
  Cell(std::string text, Ink ink = Ink::plain) : spans{{std::move(text), ink}} {}
  Cell(const char* text, Ink ink = Ink::plain) : spans{{text, ink}} {}
  Cell(std::vector<Span> pieces) : spans(std::move(pieces)) {}
  std::vector<Span> spans;
};

struct Column {
  enum class Align { left, right };
  std::string header;
  Align align = Align::left;
  int priority = kAlways;  ///< when the page is too narrow, the lowest goes first, and its equals with it
  std::optional<std::size_t> shrinks_to;  ///< the narrowest that the column may become before others are dropped
  bool only_if_filled = false;            ///< left out when no cell of it says anything
  std::size_t at_least = 0;               ///< wide enough for what may come, so that pages in a row do not jump

  static constexpr int kAlways = 1000;
  static constexpr int kExtra = 15;            ///< columns below this priority go before any column shrinks …
  static constexpr std::size_t kComfort = 26;  ///< … to less than this
};

/// Lines up cells in columns that fit the page: whole columns are dropped by priority, nothing is ever wrapped.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as columns. An empty cell says nothing.
  void add_row(std::vector<Cell> cells);

  /// A line of its own below the last row.
  void add_line(std::vector<Span> line);

  bool empty() const { return lines_.empty(); }

  /// The header and the lines, painted, without line ends.
  std::vector<std::string> render(const RenderOptions& options) const;

 private:
  struct Line {
    std::vector<Cell> cells;  // of a row
    std::vector<Span> free;   // of a line of its own
  };

  std::vector<std::size_t> widths(const RenderOptions& options) const;

  std::vector<Column> columns_;
  std::vector<Line> lines_;
};

}  // namespace gpukeeper::cli
