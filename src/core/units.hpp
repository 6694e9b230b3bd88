#pragma once

#include <compare>
#include <concepts>
#include <cstdint>

namespace gpukeeper {

/// A number and its unit, comparable only with itself. Arithmetic is added per unit, where it means something.
template <class Tag, class Rep>
class Quantity {
 public:
  using rep = Rep;

  constexpr explicit Quantity(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  Rep value_;
};

using Watts = Quantity<struct WattsTag, double>;
using Joules = Quantity<struct JoulesTag, double>;
using Celsius = Quantity<struct CelsiusTag, double>;
using Percent = Quantity<struct PercentTag, double>;  // 0..100; Prometheus gets a ratio
using Megahertz = Quantity<struct MegahertzTag, double>;
using Rpm = Quantity<struct RpmTag, std::uint32_t>;
using Bytes = Quantity<struct BytesTag, std::uint64_t>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag, double>;
using Count = Quantity<struct CountTag, std::uint64_t>;

constexpr Watts from_milliwatts(std::uint64_t mw) {
  return Watts(static_cast<double>(mw) / 1e3);
}
constexpr Watts from_microwatts(std::uint64_t uw) {
  return Watts(static_cast<double>(uw) / 1e6);
}
constexpr Joules from_millijoules(std::uint64_t mj) {
  return Joules(static_cast<double>(mj) / 1e3);
}
constexpr Joules from_microjoules(std::uint64_t uj) {
  return Joules(static_cast<double>(uj) / 1e6);
}
constexpr Celsius from_millidegrees(std::int64_t mdeg) {
  return Celsius(static_cast<double>(mdeg) / 1e3);
}

constexpr Bytes from_kib(std::uint64_t n) {
  return Bytes(n << 10);
}
constexpr Bytes from_mib(std::uint64_t n) {
  return Bytes(n << 20);
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return from_mib(n);
}  // MiB is 2^20, MB is 10^6
constexpr Bytes operator""_GiB(unsigned long long n) {
  return Bytes(n << 30);
}

constexpr Bytes operator+(Bytes a, Bytes b) {
  return Bytes(a.value() + b.value());
}
/// What is left of a after b; nothing when b is the larger, as sizes are never negative.
constexpr Bytes remaining(Bytes a, Bytes b) {
  return Bytes(a > b ? a.value() - b.value() : 0);
}
constexpr Celsius operator-(Celsius a, Celsius b) {
  return Celsius(a.value() - b.value());
}

static_assert(!std::totally_ordered_with<Watts, Celsius>);  // what must not compile is tested
static_assert(!std::convertible_to<double, Watts>);

}  // namespace gpukeeper
