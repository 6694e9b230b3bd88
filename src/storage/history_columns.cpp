#include "storage/history_columns.hpp"

namespace gpukeeper::history_file {
namespace {

constexpr unsigned kBits = 7;  // of a number in each byte; the highest bit says that another follows
constexpr std::uint8_t kMore = 0x80;

void put_number(std::size_t number, PackedBytes& out) {
  for (; number >= kMore; number >>= kBits) out.push_back(static_cast<std::uint8_t>(number | kMore));
  out.push_back(static_cast<std::uint8_t>(number));
}

std::optional<std::size_t> take_number(std::span<const std::uint8_t>& bytes) {
  std::size_t number = 0;
  for (unsigned shift = 0; shift < 32; shift += kBits) {
    if (bytes.empty()) return std::nullopt;
    const std::uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    number |= static_cast<std::size_t>(byte & (kMore - 1)) << shift;
    if (byte < kMore) return number;
  }
  return std::nullopt;
}

}  // namespace

void ColumnWriter::add(std::span<const std::uint8_t> column) {
  lengths_.push_back(column.size());
  columns_.insert(columns_.end(), column.begin(), column.end());
}

PackedBytes ColumnWriter::bytes() const {
  PackedBytes result;
  put_number(lengths_.size(), result);
  for (const std::size_t length : lengths_) put_number(length, result);
  result.insert(result.end(), columns_.begin(), columns_.end());
  return result;
}

std::optional<ColumnReader> ColumnReader::parse(std::span<const std::uint8_t> bytes) {
  const auto count = take_number(bytes);
  if (!count || *count > bytes.size()) return std::nullopt;
  std::vector<std::size_t> lengths(*count);
  for (std::size_t& length : lengths) {
    const auto known = take_number(bytes);
    if (!known) return std::nullopt;
    length = *known;
  }
  ColumnReader reader;
  for (const std::size_t length : lengths) {
    if (length > bytes.size()) return std::nullopt;
    reader.columns_.push_back(bytes.first(length));
    bytes = bytes.subspan(length);
  }
  if (!bytes.empty()) return std::nullopt;
  return reader;
}

}  // namespace gpukeeper::history_file
