#include "backend/nvml/counter_rate.hpp"

#include <utility>

namespace gpukeeper::nvml {

Metric<BytesPerSecond> CounterRate::update(std::uint64_t value, unsigned bits, double most, MonotonicTime now) {
  constexpr std::uint64_t kRound = std::uint64_t{1} << 32;
  const auto before = std::exchange(last_, value);
  const double seconds = std::chrono::duration<double>(now - std::exchange(at_, now)).count();
  if (bits <= 32) narrow_ = true;
  if (!before || seconds <= 0) return missing(Missing::not_yet_read);
  if (value < *before) {
    if (wide_ || *before >= kRound) return missing(Missing::not_yet_read);  // counts anew: the driver was loaded again
    narrow_ = true;
  }
  if (narrow_ && (most <= 0 || most * seconds >= static_cast<double>(kRound))) return missing(Missing::not_supported);
  const std::uint64_t difference = value >= *before ? value - *before : value + kRound - *before;
  return BytesPerSecond(static_cast<double>(difference) / seconds);
}

}  // namespace gpukeeper::nvml
