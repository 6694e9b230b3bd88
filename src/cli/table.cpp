#include "cli/table.hpp"

#include <algorithm>

#include "core/display_text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kBeginning = 4;  // of a name that is cut to its least

std::size_t width_of(const Cell& cell) {
  std::size_t width = 0;
  for (const Span& span : cell.spans) width += display_width(span.text);
  return width;
}

void append(std::vector<Span>& line, const Cell& cell, const Column& column, std::size_t width, bool utf8) {
  std::size_t left = width;
  const auto own = std::min(width_of(cell), width);
  if (column.align == Column::Align::right) {
    line.push_back({std::string(width - own, ' ')});
    left = own;
  }
  for (const Span& span : cell.spans) {
    line.push_back({fit(span.text, left, utf8), span.ink});
    left -= std::min(left, display_width(line.back().text));
  }
  if (left > 0) line.push_back({std::string(left, ' ')});
}

}  // namespace

void Table::add_row(std::vector<Cell> cells) {
  lines_.push_back({std::move(cells), {}});
}

void Table::add_line(std::vector<Span> line) {
  lines_.push_back({{}, std::move(line)});
}

// The width of each column; 0 for one that is left out.
std::vector<std::size_t> Table::widths(const RenderOptions& options) const {
  std::vector<std::size_t> natural(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    bool filled = false;
    for (const Line& line : lines_) {
      if (line.cells.empty()) continue;
      const auto width = width_of(line.cells[i]);
      natural[i] = std::max(natural[i], width);
      filled |= width > 0 && line.cells[i].spans.front().text != "-";
    }
    if (columns_[i].only_if_filled && !filled) {
      natural[i] = 0;
    } else {
      natural[i] = std::max({natural[i], display_width(columns_[i].header), columns_[i].at_least});
    }
  }

  const auto least = [&](std::size_t i) { return std::min(natural[i], columns_[i].shrinks_to.value_or(natural[i])); };
  const auto comfortable = [&](std::size_t i) { return std::max(least(i), std::min(natural[i], Column::kComfort)); };
  const auto needed = [&](const auto& width) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (natural[i] > 0) sum += (columns_[i].shrinks_to ? width(i) : natural[i]) + (sum > 0 ? kGap : 0);
    }
    return sum;
  };
  const auto drop_until_fits = [&](const auto& width, int below) {
    while (needed(width) > options.width) {
      std::optional<int> lowest;
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (natural[i] == 0 || columns_[i].priority >= below) continue;
        lowest = std::min(lowest.value_or(columns_[i].priority), columns_[i].priority);
      }
      if (!lowest) return;
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].priority == *lowest) natural[i] = 0;
      }
    }
  };
  drop_until_fits(comfortable, Column::kExtra);
  drop_until_fits(least, Column::kAlways);

  // On a page too narrow for all that must stay, a name keeps only its beginning: what labels the line is not cut off.
  const std::size_t over = needed(least) - std::min(needed(least), options.width);
  const auto squeezed = [&](std::size_t i) {
    if (!columns_[i].shrinks_to || natural[i] == 0) return least(i);
    return std::max(std::min(least(i), kBeginning), least(i) - std::min(least(i), over));
  };
  std::size_t spare = options.width - std::min(options.width, needed(squeezed));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (natural[i] == 0) continue;
    const auto floor = squeezed(i);
    const auto grown = std::min(natural[i] - floor, spare);
    spare -= grown;
    natural[i] = floor + grown;
  }
  return natural;
}

std::vector<std::string> Table::render(const RenderOptions& options) const {
  const auto width = widths(options);
  std::vector<std::string> result;
  const auto row = [&](const auto& cell_of) {
    std::vector<Span> line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (width[i] == 0) continue;
      if (!line.empty()) line.push_back({std::string(kGap, ' ')});
      append(line, cell_of(i), columns_[i], width[i], options.utf8);
    }
    result.push_back(paint(line, options));
  };
  row([&](std::size_t i) { return Cell(columns_[i].header, Ink::faint); });
  for (const Line& line : lines_) {
    if (line.cells.empty()) {
      result.push_back(paint(line.free, options));
    } else {
      row([&](std::size_t i) -> const Cell& { return line.cells[i]; });
    }
  }
  return result;
}

}  // namespace gpukeeper::cli
