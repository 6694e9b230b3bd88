#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

// Numbers of any width, one after the other without a gap; the highest bit first.
namespace gpukeeper {

class BitWriter {
 public:
  explicit BitWriter(std::vector<std::uint8_t>& out) : out_(out) {}

  /// The lowest `bits` (0 to 64) of the value.
  void put(std::uint64_t value, unsigned bits) {
    while (bits > 0) {
      if (free_ == 0) {
        out_.push_back(0);
        free_ = 8;
      }
      const unsigned taken = std::min(bits, free_);
      bits -= taken;
      free_ -= taken;
      const auto part = (value >> bits) & ((std::uint64_t{1} << taken) - 1);
      out_.back() = static_cast<std::uint8_t>(out_.back() | (part << free_));
    }
  }

  void put_ones(unsigned count) { put(~std::uint64_t{0}, count); }

 private:
  std::vector<std::uint8_t>& out_;
  unsigned free_ = 0;  // bits of the last byte; writing begins in a byte of its own
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// Behind the end there are zeros.
  std::uint64_t take(unsigned bits) {
    std::uint64_t value = 0;
    while (bits > 0) {
      const std::size_t at = position_ / 8;
      const auto used = static_cast<unsigned>(position_ % 8);
      const unsigned taken = std::min(bits, 8 - used);
      const unsigned byte = at < bytes_.size() ? bytes_[at] : 0u;
      value = (value << taken) | ((byte >> (8 - used - taken)) & ((1u << taken) - 1));
      position_ += taken;
      bits -= taken;
    }
    return value;
  }

  /// How many ones come before a zero, which is taken too; after `most` of them nothing more is taken.
  unsigned take_ones(unsigned most) {
    unsigned count = 0;
    while (count < most && take(1) == 1) ++count;
    return count;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;  // in bits
};

}  // namespace gpukeeper
