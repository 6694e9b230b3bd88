#include "report/html_table.hpp"

#include <fmt/format.h>

#include "report/markup.hpp"

namespace gpukeeper::report {

void HtmlTable::leave_out(std::string_view column, bool is_left_out) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].name == column) left_out_[i] = is_left_out;
  }
}

std::string HtmlTable::row(const std::vector<std::string>& cells, std::string_view tag) const {
  std::string text = "<tr>";
  for (std::size_t i = 0; i < columns_.size() && i < cells.size(); ++i) {
    if (left_out_[i]) continue;
    text += fmt::format("<{}{}{}>{}</{}>", tag, tag == "th" ? " scope=\"col\"" : "",
                        columns_[i].number  ? " class=\"number\""
                        : columns_[i].whole ? " class=\"whole\""
                                            : "",
                        escaped(cells[i]), tag);
  }
  return text + "</tr>\n";
}

std::string HtmlTable::write() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  std::string text = "<div class=\"scroll\"><table>\n<thead>" + row(names, "th") + "</thead>\n<tbody>\n";
  for (const auto& cells : rows_) text += row(cells, "td");
  return text + "</tbody></table></div>\n";
}

}  // namespace gpukeeper::report
