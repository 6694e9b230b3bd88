#include <algorithm>
#include <cmath>

#include "format/sparkline.hpp"
#include "top/meter.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

constexpr double kColdest = 20;  // °C at the left end of the bar: below that no room is

double ratio(Bytes part, Bytes whole) {
  return whole.value() == 0 ? 0 : static_cast<double>(part.value()) / static_cast<double>(whole.value());
}

Bytes less(Bytes a, Bytes b) {
  return a > b ? Bytes(a.value() - b.value()) : Bytes(0);
}

// The warmest that the bar of a device shows.
double hottest(const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  double top = std::max(100.0, device.throttling.thresholds.temp_critical.value());
  for (const auto& limit : {r.temperature_slowdown, r.temperature_shutdown}) {
    if (limit) top = std::max(top, limit->value());
  }
  return top;
}

}  // namespace

void draw_utilization(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width) {
  std::vector<MeterPart> parts;
  if (device.reading.utilization) parts.push_back({device.reading.utilization->value() / 100, U'█', Role::optimal});
  draw_meter(area, x, y, width, parts);
}

void draw_memory(const Scene& scene, const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y,
                 std::size_t width) {
  const Reading& r = device.reading;
  std::vector<MeterPart> parts;
  if (r.memory_total && r.memory_used) {
    const Bytes total = *r.memory_total;
    const BookedDevice* account = scene.model.account_of(device.device->id);
    if (account != nullptr && account->unmanaged) {
      // What is in use and is no one's beside a lease is a lease's.
      const Bytes unmanaged = std::min(*account->unmanaged, *r.memory_used);
      const Bytes leased = less(*r.memory_used, unmanaged);
      const Bytes promised = less(account->charged, leased);
      parts = {{ratio(leased, total), U'█', Role::lease},
               {ratio(unmanaged, total), U'▓', Role::unmanaged},
               {ratio(promised, total), U'▒', Role::lease}};
    } else {
      parts = {{ratio(*r.memory_used, total), U'█', Role::lease}};
    }
  }
  draw_meter(area, x, y, width, parts);
}

void draw_power(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width) {
  const Reading& r = device.reading;
  std::vector<MeterPart> parts;
  std::vector<MeterMark> marks;
  // A limit that was lowered stands in the room of the one that is usual.
  const auto& most = r.power_limit_default && r.power_limit && *r.power_limit_default > *r.power_limit
                         ? r.power_limit_default
                         : r.power_limit;
  if (r.power && most && most->value() > 0) {
    const bool at_limit = r.power_limit && r.power->value() >= 0.97 * r.power_limit->value();
    parts.push_back({r.power->value() / most->value(), U'█', at_limit ? Role::throttled : Role::optimal});
    if (r.power_limit && *r.power_limit < *most) {
      marks.push_back({r.power_limit->value() / most->value(), U'┃', Role::throttled});
    }
  }
  draw_meter(area, x, y, width, parts, marks);
}

void draw_temperature(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width) {
  const auto degrees = guarding_temperature(device.reading);
  const double top = hottest(device);
  const auto share = [&](double celsius) { return (celsius - kColdest) / (top - kColdest); };
  const GovernorThresholds& limits = device.throttling.thresholds;
  std::vector<MeterPart> parts;
  if (degrees) {
    const Role role = *degrees >= limits.temp_throttle  ? Role::critical
                      : *degrees >= limits.temp_normal  ? Role::throttled
                      : *degrees >= limits.temp_optimal ? Role::normal
                                                        : Role::optimal;
    parts.push_back({share(degrees->value()), U'█', role});
  }
  std::vector<MeterMark> marks{{share(limits.temp_throttle.value()), U'╎', Role::throttled}};
  if (device.reading.temperature_slowdown) {
    marks.push_back({share(device.reading.temperature_slowdown->value()), U'┃', Role::critical});
  }
  draw_meter(area, x, y, width, parts, marks);
}

void draw_spark(const Trail::Values& values, double top, const Area& area, std::size_t x, std::size_t y,
                std::size_t width, Role role) {
  if (width == 0 || values.empty()) return;
  const std::size_t taken = std::min(values.size(), width);
  const auto last = std::span(values).last(taken);
  area.put(x + width - taken, y, sparkline(last, top > 0 ? top : 1), {role}, taken);
}

void draw_rule(const Area& area, std::size_t y, std::string_view title) {
  area.fill(y, U'─', {Role::track});
  if (!title.empty()) area.line(2, y, {{" "}, {title, {Role::faint}}, {" "}});
}

}  // namespace gpukeeper::top
