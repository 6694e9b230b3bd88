#pragma once

#include <cstdint>
#include <string_view>

namespace gpukeeper::sqlite {

/// FNV-1a over the columns of a row, each with its end: it finds what a disk has changed.
class Checksum {
 public:
  void add(std::int64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<unsigned char>(value >> shift));
  }
  void add(std::string_view text) {
    for (const char c : text) byte(static_cast<unsigned char>(c));
    add(static_cast<std::int64_t>(text.size()));
  }
  std::int64_t value() const { return static_cast<std::int64_t>(hash_); }

 private:
  void byte(unsigned char b) { hash_ = (hash_ ^ b) * 1099511628211u; }
  std::uint64_t hash_ = 14695981039346656037u;
};

}  // namespace gpukeeper::sqlite
