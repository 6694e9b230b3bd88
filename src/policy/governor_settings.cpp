#include "policy/governor_settings.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "core/glob.hpp"

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;

constexpr double kHottest = 150;  // °C; no GPU of today lives beyond
constexpr double kWidestHysteresis = 20;
constexpr Celsius kCoolestSlowdown{50};  // below, the driver's answer is none: it would pause every idle device
constexpr int kMostSamples = 1000;
constexpr nanoseconds kLongest = std::chrono::hours(24);
constexpr nanoseconds kShortestInterval = std::chrono::milliseconds(100);

// The shortest text that says the number: 85, 0.8.
std::string number(double value) {
  return fmt::format("{}", value);
}

double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// One axis: three borders, in order from the best state to the worst.
struct Border {
  std::string_view key;
  double value;
};

struct Axis {
  Border borders[3];
  std::string_view hysteresis_key;
  double hysteresis;
  double most;
};

// Collects the mistakes; `where` stands before each key.
class Checker {
 public:
  std::vector<std::string> take() {
    std::vector<std::string> once;  // a default that is wrong is wrong for every device that has it
    for (std::string& line : found_) {
      if (std::ranges::find(once, line) == once.end()) once.push_back(std::move(line));
    }
    return once;
  }

  void range(std::string_view key, double value, double least, double most) {
    if (value >= least && value <= most) return;  // not for a NaN either
    say("{}: {} is not from {} to {}", key, number(value), number(least), number(most));
  }

  void positive(std::string_view key, double value, double most) {
    if (value > 0 && value <= most) return;
    say("{}: {} is not above 0 and at most {}", key, number(value), number(most));
  }

  void multiplier(std::string_view key, double value) {
    if (value == 0.8 || value == 0.5 || value == 0) return;
    say("{}: {} is not 0.8, 0.5 or 0", key, number(value));
  }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) say("{}: must not be empty", key);
  }

  void axis(std::string_view where, const Axis& axis) {
    bool finite = true;
    for (const Border& border : axis.borders) {
      positive(fmt::format("{}{}", where, border.key), border.value, axis.most);
      finite = finite && std::isfinite(border.value);
    }
    if (!finite) return;
    for (int i = 0; i < 2; ++i) {
      const Border& low = axis.borders[i];
      const Border& high = axis.borders[i + 1];
      if (high.value <= low.value) {
        say("{}{}: {} is not above {} ({})", where, high.key, number(high.value), low.key, number(low.value));
      } else if (low.value > high.value - axis.hysteresis) {
        say("{}{}: {} less {} ({}) is below {} ({}): the states overlap", where, high.key, number(high.value),
            axis.hysteresis_key, number(axis.hysteresis), low.key, number(low.value));
      }
    }
  }

  template <class... Parts>
  void say(fmt::format_string<Parts...> form, Parts&&... parts) {
    found_.push_back(fmt::format(form, std::forward<Parts>(parts)...));
  }

 private:
  std::vector<std::string> found_;
};

void check_thresholds(Checker& found, std::string_view where, const GovernorThresholds& t,
                      const GovernorSettings& settings) {
  found.axis(where, {.borders = {{"temp_optimal", t.temp_optimal.value()},
                                 {"temp_normal", t.temp_normal.value()},
                                 {"temp_throttle", t.temp_throttle.value()}},
                     .hysteresis_key = "hysteresis_celsius",
                     .hysteresis = settings.hysteresis_celsius.value(),
                     .most = kHottest});
  found.positive(fmt::format("{}temp_critical", where), t.temp_critical.value(), kHottest);
  if (t.temp_critical < t.temp_throttle) {
    found.say("{}temp_critical: {} is below temp_throttle ({})", where, number(t.temp_critical.value()),
              number(t.temp_throttle.value()));
  }
  found.axis(where, {.borders = {{"memory_optimal", t.memory_optimal.value()},
                                 {"memory_normal", t.memory_normal.value()},
                                 {"memory_critical", t.memory_critical.value()}},
                     .hysteresis_key = "hysteresis_memory_percent",
                     .hysteresis = settings.hysteresis_memory_percent.value(),
                     .most = 100});
}

// Margins shrink towards the worse states.
void check_margins(Checker& found, const GovernorSettings& settings) {
  const AutoThresholds& margins = settings.temp_auto;
  const Border borders[] = {{"temp_auto.optimal", margins.optimal.value()},
                            {"temp_auto.normal", margins.normal.value()},
                            {"temp_auto.throttle", margins.throttle.value()},
                            {"temp_auto.critical", margins.critical.value()}};
  for (const Border& border : borders) found.range(border.key, border.value, 0, 100);
  for (int i = 0; i < 2; ++i) {
    const double gap = borders[i].value - borders[i + 1].value;
    if (gap <= 0) {
      found.say("{}: {} is not above {} ({})", borders[i].key, number(borders[i].value), borders[i + 1].key,
                number(borders[i + 1].value));
    } else if (gap < settings.hysteresis_celsius.value()) {
      found.say("{}: {} less {} ({}) is below hysteresis_celsius ({}): the states overlap", borders[i].key,
                number(borders[i].value), borders[i + 1].key, number(borders[i + 1].value),
                number(settings.hysteresis_celsius.value()));
    }
  }
  if (margins.critical > margins.throttle) {
    found.say("temp_auto.critical: {} is above temp_auto.throttle ({})", number(margins.critical.value()),
              number(margins.throttle.value()));
  }
}

void check_times(Checker& found, const GovernorSettings& s) {
  const double day = seconds(kLongest);
  found.range("throttle_cooldown_seconds", seconds(s.throttle_cooldown), 0, day);
  found.range("critical_pause_seconds", seconds(s.critical_pause), 0, day);
  found.range("load_sustain_seconds", seconds(s.load_sustain), 0, day);
  found.range("power_sustain_seconds", seconds(s.power_sustain), 0, day);
  found.range("monitor_interval", seconds(s.monitor_interval), seconds(kShortestInterval), day);
  found.range("min_dwell_samples.up", s.min_dwell_samples_up, 1, kMostSamples);
  found.range("min_dwell_samples.down", s.min_dwell_samples_down, 1, kMostSamples);
  found.range("missing_sensor_hold_samples", s.missing_sensor_hold_samples, 0, kMostSamples);
}

template <class Value>
void change(Value& value, const std::optional<Value>& to) {
  if (to) value = *to;
}

void change(GovernorThresholds& thresholds, const ThresholdChanges& changes) {
  change(thresholds.temp_optimal, changes.temp_optimal);
  change(thresholds.temp_normal, changes.temp_normal);
  change(thresholds.temp_throttle, changes.temp_throttle);
  change(thresholds.temp_critical, changes.temp_critical);
  change(thresholds.memory_optimal, changes.memory_optimal);
  change(thresholds.memory_normal, changes.memory_normal);
  change(thresholds.memory_critical, changes.memory_critical);
}

GovernorThresholds changed(GovernorThresholds thresholds, const ThresholdChanges& changes) {
  change(thresholds, changes);
  return thresholds;
}

void check_devices(Checker& found, const GovernorSettings& settings) {
  for (const auto& [vendor, changes] : settings.vendors) {
    check_thresholds(found, fmt::format("vendors.{}.", to_string(vendor)), changed(settings.thresholds, changes),
                     settings);
  }
  for (std::size_t i = 0; i < settings.devices.size(); ++i) {
    const DeviceThresholds& entry = settings.devices[i];
    found.text(fmt::format("devices[{}].device", i), entry.device);
    const std::string where = fmt::format("devices[{}].", i);
    check_thresholds(found, where, changed(settings.thresholds, entry.changes), settings);
    for (const auto& [vendor, changes] : settings.vendors) {  // a pattern may fit devices of every vendor
      check_thresholds(found, where, changed(changed(settings.thresholds, changes), entry.changes), settings);
    }
  }
}

}  // namespace

std::vector<std::string> check(const GovernorSettings& settings) {
  Checker found;
  found.range("hysteresis_celsius", settings.hysteresis_celsius.value(), 0, kWidestHysteresis);
  found.range("hysteresis_memory_percent", settings.hysteresis_memory_percent.value(), 0, kWidestHysteresis);
  check_thresholds(found, "", settings.thresholds, settings);
  check_margins(found, settings);
  check_devices(found, settings);
  check_times(found, settings);
  if (const auto load = settings.load_throttle_percent) found.positive("load_throttle_percent", load->value(), 100);
  if (const auto power = settings.power_throttle_percent) {
    found.positive("power_throttle_percent", power->value(), 200);  // boards overshoot their limit for a while
  }
  found.multiplier("yield.multiplier", settings.yield.multiplier);
  for (std::size_t i = 0; i < settings.yield.ours.size(); ++i) {
    found.text(fmt::format("yield.ours[{}]", i), settings.yield.ours[i]);
  }
  return found.take();
}

GovernorThresholds thresholds_for(const GovernorSettings& settings, const Device& device,
                                  std::optional<Celsius> slowdown) {
  GovernorThresholds result = settings.thresholds;
  bool automatic = settings.temp_auto.enabled;
  const auto apply = [&](const ThresholdChanges& changes) {
    change(result, changes);
    if (changes.temp_auto) automatic = *changes.temp_auto;
  };
  if (const auto vendor = settings.vendors.find(device.vendor); vendor != settings.vendors.end()) {
    apply(vendor->second);
  }
  for (const DeviceThresholds& entry : settings.devices) {
    if (fits_ignoring_case(entry.device, device.id.text) || fits_ignoring_case(entry.device, device.name)) {
      apply(entry.changes);
    }
  }
  if (automatic && slowdown && *slowdown >= kCoolestSlowdown) {
    result.temp_optimal = *slowdown - settings.temp_auto.optimal;
    result.temp_normal = *slowdown - settings.temp_auto.normal;
    result.temp_throttle = *slowdown - settings.temp_auto.throttle;
    result.temp_critical = *slowdown - settings.temp_auto.critical;
  }
  return result;
}

}  // namespace gpukeeper
