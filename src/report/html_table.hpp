#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::report {

/// A table of a page. All texts may hold anything.
class HtmlTable {
 public:
  struct Column {
    std::string name;
    bool number = false;  ///< set to the right
    bool whole = false;   ///< never broken into lines
  };
  explicit HtmlTable(std::vector<Column> columns) : columns_(std::move(columns)), left_out_(columns_.size()) {}

  /// A column of that name is not written, whatever rows say there.
  void leave_out(std::string_view column, bool is_left_out);

  /// As many cells as there are columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string write() const;

 private:
  std::string row(const std::vector<std::string>& cells, std::string_view tag) const;

  std::vector<Column> columns_;
  std::vector<bool> left_out_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gpukeeper::report
