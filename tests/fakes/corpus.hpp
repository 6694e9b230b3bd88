#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper {

/// The folder of recorded machines: what the environment variable GPUKEEPER_CORPUS names, else `../shared/corpus`
/// beside the source tree; nothing when neither is there. It is not part of the repository, so a test that needs it
/// skips: `GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";`.
inline std::optional<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> places;
  if (const char* named = std::getenv("GPUKEEPER_CORPUS")) places.emplace_back(named);
#ifdef GPUKEEPER_SOURCE_DIR
  places.emplace_back(std::filesystem::path(GPUKEEPER_SOURCE_DIR) / "../shared/corpus");
#endif
  for (const auto& place : places) {
    if (std::filesystem::exists(place / "README.md")) return place;
  }
  return std::nullopt;
}

/// One line of CSV: fields between commas; a field in quotes may hold commas, and "" for a quote.
inline std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

/// A row of a table: column name to text.
using CorpusRow = std::map<std::string, std::string, std::less<>>;

/// The table of the corpus's README whose header line starts with `header`: "file,vendor,name" tells what each recorded
/// machine holds, "file,version,size" the gpu_metrics tables, "file,drm,driver" the fdinfo texts. Empty when it is not
/// there.
inline std::vector<CorpusRow> corpus_table(const std::filesystem::path& folder, std::string_view header) {
  std::ifstream in(folder / "README.md");
  std::vector<CorpusRow> rows;
  std::vector<std::string> columns;
  for (std::string line; std::getline(in, line);) {
    if (columns.empty()) {
      if (line.starts_with(header)) columns = csv_fields(line);
      continue;
    }
    if (line.starts_with("```")) break;
    const auto fields = csv_fields(line);
    CorpusRow row;
    for (std::size_t i = 0; i < columns.size() && i < fields.size(); ++i) row[columns[i]] = fields[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The file's content; empty when it cannot be read.
inline std::string file_content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace gpukeeper
