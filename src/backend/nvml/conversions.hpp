#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "backend/nvml/abi.hpp"
#include "backend/nvml/codes.hpp"
#include "device/reading.hpp"

/// What the library's numbers mean as metrics, and which of them cannot be true.
namespace gpukeeper::nvml {

inline constexpr std::uint64_t kMostCelsius = 200;  // above it a sensor's answer is garbage (monitoring research 3c)
inline constexpr std::uint64_t kMostMilliwatts = 100'000'000;

// Drivers label some fields with the wrong type: a 545-era one calls the memory temperature a double. A whole number
// read as a double is a denormal, so a label that cannot be true is seen.
inline std::uint64_t whole(const abi::FieldValue& field) {
  switch (field.type) {
    case abi::ValueType::uint: return field.value.as_uint;
    case abi::ValueType::sint: return static_cast<std::uint64_t>(std::max(0, field.value.as_int));
    case abi::ValueType::ushort: return field.value.as_ushort;
    case abi::ValueType::long_long: return static_cast<std::uint64_t>(std::max<std::int64_t>(0, field.value.as_i64));
    case abi::ValueType::real:
      if (field.value.as_double >= 1 && field.value.as_double < 1e19) {
        return static_cast<std::uint64_t>(field.value.as_double);
      }
      return field.value.as_u64;
    case abi::ValueType::ulong:
    case abi::ValueType::ulong_long: break;
  }
  return field.value.as_u64;
}

inline unsigned bits(const abi::FieldValue& field) {
  return field.type == abi::ValueType::uint ? 32 : 64;
}

template <class T>
Metric<T> absent(abi::Code code) {
  return missing(missing_from(code));
}

inline Metric<Celsius> celsius(abi::Code code, std::uint64_t value) {
  if (code != abi::kSuccess) return absent<Celsius>(code);
  if (value > kMostCelsius) return missing(Missing::failed);
  return Celsius(static_cast<double>(value));
}

// Fans may be said to run above their nominal speed (nvml.h, nvmlDeviceGetFanSpeed), and utilization overshoots.
inline Metric<Percent> percent(abi::Code code, unsigned value) {
  if (code != abi::kSuccess) return absent<Percent>(code);
  if (value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return Percent(std::min(100.0, static_cast<double>(value)));
}

inline Metric<Watts> watts(abi::Code code, std::uint64_t milliwatts) {
  if (code != abi::kSuccess) return absent<Watts>(code);
  if (milliwatts > kMostMilliwatts) return missing(Missing::failed);
  return from_milliwatts(milliwatts);
}

inline Metric<Megahertz> megahertz(abi::Code code, unsigned value) {
  if (code != abi::kSuccess) return absent<Megahertz>(code);
  if (value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return Megahertz(value);
}

inline Metric<Count> count(abi::Code code, std::uint64_t value) {
  if (code != abi::kSuccess) return absent<Count>(code);
  return Count(value);
}

inline Metric<Count> count32(abi::Code code, unsigned value) {
  if (code == abi::kSuccess && value == std::numeric_limits<unsigned>::max()) return missing(Missing::failed);
  return count(code, value);
}

inline Metric<bool> yes(abi::Code code, std::uint64_t value) {
  if (code != abi::kSuccess) return absent<bool>(code);
  return value != 0;
}

inline Metric<std::uint64_t> number(const abi::FieldValue& field) {
  if (field.code != abi::kSuccess) return absent<std::uint64_t>(field.code);
  return whole(field);
}

// Error counts are undefined while ECC is off (monitoring research 3c).
inline Metric<Count> ecc_count(const Reading& reading, abi::Code code, std::uint64_t value) {
  if (reading.ecc_enabled && !*reading.ecc_enabled) return missing(Missing::not_supported);
  return count(code, value);
}

}  // namespace gpukeeper::nvml
