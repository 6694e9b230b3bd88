#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace gpukeeper {

/// How much a counter grew a second. Nothing without a look before, or when it went back: a device that came anew.
inline std::optional<double> rate(std::optional<std::uint64_t> before, std::uint64_t now,
                                  std::chrono::nanoseconds between) {
  if (!before || now < *before || between.count() <= 0) return std::nullopt;
  return static_cast<double>(now - *before) / std::chrono::duration<double>(between).count();
}

}  // namespace gpukeeper
