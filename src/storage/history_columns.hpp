#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "telemetry/compressed_series.hpp"

namespace gpukeeper::history_file {

/// Several packed columns as one run of bytes: how many, how long each is, and then one after the other.
class ColumnWriter {
 public:
  void add(std::span<const std::uint8_t> column);
  PackedBytes bytes() const;

 private:
  std::vector<std::size_t> lengths_;
  PackedBytes columns_;
};

/// The columns again; they lie in the bytes that were given.
class ColumnReader {
 public:
  /// Nothing when the bytes are none of the above.
  static std::optional<ColumnReader> parse(std::span<const std::uint8_t> bytes);

  std::size_t size() const { return columns_.size(); }
  std::span<const std::uint8_t> operator[](std::size_t column) const { return columns_[column]; }

 private:
  std::vector<std::span<const std::uint8_t>> columns_;
};

}  // namespace gpukeeper::history_file
