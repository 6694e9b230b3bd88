#include "embed/view.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/display_text.hpp"
#include "telemetry/overall.hpp"

namespace gpukeeper::embed {
namespace {

template <class T>
double number(const Metric<T>& metric) {
  return metric ? metric->value() : NAN;
}

std::uint64_t bytes(const Metric<Bytes>& metric) {
  return metric ? metric->value() : GK_ABSENT;
}

// Ends with a zero byte, and not in the middle of a character.
template <std::size_t Size>
void copy(std::string_view text, char (&into)[Size]) {
  std::size_t length = std::min(text.size(), Size - 1);
  const auto continues = [&] {
    return length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80;
  };
  while (length > 0 && continues()) --length;
  std::copy_n(text.begin(), length, into);
  std::fill(into + length, into + Size, '\0');
}

double seconds_since_1970(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

gk_reading reading_of(const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  gk_reading c{};
  c.size = sizeof c;
  c.index = device.index;
  c.available = device.available ? 1 : 0;
  c.state = state_in_c(device.throttling.state);
  c.simulated = device.device->simulated || device.device->recorded ? 1 : 0;
  c.read_at = device.read_at ? seconds_since_1970(*device.read_at) : NAN;
  c.utilization_percent = number(r.utilization);
  c.memory_busy_percent = number(r.utilization_memory);
  c.memory_used_bytes = bytes(r.memory_used);
  c.memory_total_bytes = bytes(r.memory_total);
  c.memory_percent = number(memory_percent(r));
  c.temperature_celsius = number(guarding_temperature(r));
  c.power_watts = number(r.power);
  c.power_limit_watts = number(r.power_limit);
  c.fan_percent = number(r.fan);
  c.clock_graphics_mhz = number(r.clock_graphics);
  c.clock_memory_mhz = number(r.clock_memory);
  c.pcie_tx_bytes_per_second = number(r.pcie_tx);
  c.pcie_rx_bytes_per_second = number(r.pcie_rx);
  copy(harmless(device.device->id.text), c.uuid);
  copy(harmless(device.device->name), c.name);
  copy(harmless(device.device->driver_version.value_or("")), c.driver);
  return c;
}

}  // namespace

const gk_reading* View::find(std::uint32_t index) const {
  if (index < readings.size() && readings[index].index == index) return &readings[index];  // as it nearly always is
  const auto found = std::ranges::find(readings, index, &gk_reading::index);
  return found == readings.end() ? nullptr : &*found;
}

std::shared_ptr<const View> view_of(std::shared_ptr<const Snapshot> snapshot) {
  View view;
  for (const DeviceSnapshot& device : snapshot->devices) view.readings.push_back(reading_of(device));
  view.snapshot = std::move(snapshot);
  return std::make_shared<const View>(std::move(view));
}

bool fill_throttling(const Snapshot& snapshot, std::int32_t index, gk_throttling& throttling) {
  const auto& devices = snapshot.devices;
  const auto held = [](const DeviceSnapshot& device) { return holds_itself_back(device.throttling); };
  const auto found = std::ranges::find_if(devices, [&](const auto& each) { return std::int64_t{each.index} == index; });
  const bool all = index == GK_ALL_DEVICES;
  if (!all && found == devices.end()) return false;
  const double speed = all ? overall_speed(snapshot) : found->throttling.speed_multiplier;
  throttling.state = state_in_c(all ? overall_governed_state(snapshot) : found->throttling.state);
  throttling.is_throttled = (all ? std::ranges::any_of(devices, held) : held(*found)) ? 1 : 0;
  throttling.should_throttle = speed <= 0.5 ? 1 : 0;
  throttling.speed_multiplier = speed;
  return true;
}

std::int32_t state_in_c(State state) {
  switch (state) {
    case State::optimal: return GK_OPTIMAL;
    case State::normal: return GK_NORMAL;
    case State::throttled: return GK_THROTTLED;
    case State::critical: return GK_CRITICAL;
    case State::unavailable: break;
  }
  return GK_STATE_UNAVAILABLE;
}

}  // namespace gpukeeper::embed
