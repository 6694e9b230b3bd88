#include "report/csv_cells.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/columns_text.hpp"

namespace gpukeeper::report {

// Spreadsheets take a cell for a formula that begins so, quotes or not; blanks before it do not help.
std::string name_cell(std::string_view name) {
  std::string text = harmless(name);
  const auto first = text.find_first_not_of(" \t");
  if (first != std::string::npos && std::string_view("=+-@|%").find(text[first]) != std::string_view::npos) {
    text.insert(0, "'");
  }
  return csv_field(text);
}

std::string number_cell(const std::optional<double>& value) {
  if (!value) return "";
  const std::string text = fmt::format("{:.6g}", *value);
  return text == "-0" ? "0" : text;
}

}  // namespace gpukeeper::report
