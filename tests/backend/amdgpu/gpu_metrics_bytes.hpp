#pragma once

#include <cstdint>
#include <string>

namespace gpukeeper {

/// A gpu_metrics table under construction: all fields absent until set.
class GpuMetricsBytes {
 public:
  GpuMetricsBytes(std::uint8_t format, std::uint8_t content, std::uint16_t size) : bytes_(size, '\xff') {
    set16(0, size);
    bytes_[2] = static_cast<char>(format);
    bytes_[3] = static_cast<char>(content);
  }
  GpuMetricsBytes& set8(std::size_t offset, std::uint8_t value) { return set(offset, value, 1); }
  GpuMetricsBytes& set16(std::size_t offset, std::uint16_t value) { return set(offset, value, 2); }
  GpuMetricsBytes& set32(std::size_t offset, std::uint32_t value) { return set(offset, value, 4); }
  GpuMetricsBytes& set64(std::size_t offset, std::uint64_t value) { return set(offset, value, 8); }
  const std::string& bytes() const { return bytes_; }

 private:
  GpuMetricsBytes& set(std::size_t offset, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i)
      bytes_.at(offset + static_cast<std::size_t>(i)) = static_cast<char>(value >> (8 * i));
    return *this;
  }
  std::string bytes_;
};

}  // namespace gpukeeper
