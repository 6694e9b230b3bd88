#include "top/words.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "format/cause_words.hpp"
#include "format/human.hpp"

namespace gpukeeper::top {
namespace {

template <class Unit>
std::string text_of(const Metric<Unit>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), value->value()) : std::string(kAbsent);
}

std::string watts_number(Watts power) {
  return power.value() < 9.95 ? fmt::format("{:.1f}", power.value()) : fmt::format("{:.0f}", power.value());
}

}  // namespace

std::string percent_text(const Metric<Percent>& share) {
  return text_of(share, "{:.0f}%");
}
std::string celsius_text(const Metric<Celsius>& degrees) {
  return text_of(degrees, "{:.0f}°C");
}
std::string mhz_text(const Metric<Megahertz>& clock) {
  return text_of(clock, "{:.0f}");
}

std::string watts_text(const Metric<Watts>& power) {
  return power ? watts_number(*power) + " W" : std::string(kAbsent);
}

std::string gib_text(const Metric<Bytes>& size) {
  if (!size) return std::string(kAbsent);
  return fmt::format("{:.1f}", static_cast<double>(size->value()) / (1u << 30));
}

std::string bytes_text(const Metric<Bytes>& size) {
  return size ? size_text(size->value()) : std::string(kAbsent);
}

std::string rate_text(const Metric<BytesPerSecond>& rate) {
  if (!rate) return std::string(kAbsent);
  return size_text(static_cast<std::uint64_t>(std::max(rate->value(), 0.0))) + "/s";
}

std::string fan_text(const Reading& reading) {
  if (!reading.fan && reading.fan_speed)
    return fmt::format("{:.0f} rpm", static_cast<double>(reading.fan_speed->value()));
  return percent_text(reading.fan);
}

std::string power_text(const Reading& reading) {
  if (!reading.power || !reading.power_limit) return watts_text(reading.power);
  return fmt::format("{}/{:.0f} W", watts_number(*reading.power), reading.power_limit->value());
}

std::string memory_text(const Reading& reading) {
  if (!reading.memory_used && !reading.memory_total) return std::string(kAbsent);
  return fmt::format("{}/{} GiB", gib_text(reading.memory_used), gib_text(reading.memory_total));
}

StateLook look_of(const DeviceSnapshot& device) {
  if (device.reading.attention == Attention::asleep) return {"◌", "asleep", Role::other};
  switch (device.state) {
    case State::optimal: return {"●", "optimal", Role::optimal};
    case State::normal: return {"◆", "normal", Role::normal};
    case State::throttled: return {"▲", "throttled", Role::throttled};
    case State::critical: return {"■", "critical", Role::critical};
    case State::unavailable: break;
  }
  return {"○", "unavailable", Role::other};
}

StateLook look_of(Lamp lamp) {
  switch (lamp) {
    case Lamp::green: return {"●", "green", Role::optimal};
    case Lamp::yellow: return {"▲", "yellow", Role::throttled};
    case Lamp::red: return {"■", "red", Role::critical};
    case Lamp::off: break;
  }
  return {"○", "off", Role::other};
}

Role role_of(AlertLevel level) {
  return level == AlertLevel::critical ? Role::critical : level == AlertLevel::warning ? Role::throttled : Role::normal;
}

std::string slowed_by(const Reading& reading) {
  const auto words = cause_words(reading);
  if (words.empty()) return {};
  return words.size() == 1 ? std::string(words[0]) : fmt::format("{} +{}", words[0], words.size() - 1);
}

std::string slowed_by_all(const Reading& reading) {
  std::string text;
  for (const std::string_view word : cause_words(reading)) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string_view origin_word(const Device& device) {
  return device.simulated ? "simulated" : device.recorded ? "recorded" : "";
}

std::string_view short_name(std::string_view name) {
  const auto open = name.rfind('[');
  if (open != std::string_view::npos && open > 0 && name.ends_with(']') && name.size() - open > 4) {
    name = name.substr(open + 1, name.size() - open - 2);
  }
  for (const std::string_view vendor : {"NVIDIA ", "AMD ", "Intel(R) ", "Intel "}) {
    if (name.starts_with(vendor) && name.size() > vendor.size() + 3) name.remove_prefix(vendor.size());
  }
  return name;
}

std::string index_word(const DeviceSnapshot& device) {
  if (!device.parent_index) return fmt::format("{}", device.index);
  return fmt::format("{}:{}", *device.parent_index, device.index);
}

}  // namespace gpukeeper::top
