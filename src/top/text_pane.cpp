#include "core/display_text.hpp"
#include "top/panes.hpp"

namespace gpukeeper::top {

std::size_t draw_text(const Area& area, std::size_t y, std::string_view first, std::string_view text, Style style,
                      std::size_t skipped) {
  const std::size_t indent = display_width(first);
  const std::size_t width = area.width() > indent + 11 ? area.width() - indent - 1 : 10;
  bool head = true;
  for (const std::string& line : wrap(harmless(text), width)) {
    if (skipped > 0) {
      --skipped;
      head = false;
      continue;
    }
    if (head) area.put(0, y, first, {Role::faint});
    head = false;
    area.put(indent, y, line, style);
    ++y;
  }
  return y;
}

}  // namespace gpukeeper::top
