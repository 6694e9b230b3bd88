#include "device/reading.hpp"

namespace gpukeeper {

void complete(Reading& reading) {
  if (!reading.memory_free && reading.memory_total && reading.memory_used) {
    const Bytes taken = *reading.memory_used + reading.memory_reserved.value_or(Bytes(0));
    reading.memory_free = remaining(*reading.memory_total, taken);
  }
  const auto temperature = guarding_temperature(reading);
  if (!reading.temperature_margin && reading.temperature_slowdown && temperature) {
    reading.temperature_margin = *reading.temperature_slowdown - *temperature;
  }
}

Metric<Celsius> guarding_temperature(const Reading& reading) {
  const bool has_one = reading.temperature || reading.temperature.error() != Missing::not_supported;
  return has_one ? reading.temperature : reading.temperature_hotspot;
}

Metric<Percent> memory_percent(const Reading& reading) {
  if (!reading.memory_used) return missing(reading.memory_used.error());
  if (!reading.memory_total) return missing(reading.memory_total.error());
  if (reading.memory_total->value() == 0) return missing(Missing::not_supported);
  return Percent(100.0 * static_cast<double>(reading.memory_used->value()) /
                 static_cast<double>(reading.memory_total->value()));
}

}  // namespace gpukeeper
