#include "backend/sysfs/hwmon.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

// Outside of these a register was read while its block was off (0xff…, absolute zero): no value, not an extreme one.
constexpr std::int64_t kColdest = -100'000;  // millidegrees
constexpr std::int64_t kHottest = 250'000;
constexpr std::int64_t kFastestFan = 100'000;         // rpm; 0xffff is what an absent tachometer reads as
constexpr std::int64_t kMostPower = 100'000'000'000;  // microwatts: 100 kW, far above any board's limit

std::string attribute_name(std::string_view kind, unsigned number, std::string_view suffix) {
  return fmt::format("{}{}_{}", kind, number, suffix);
}

Metric<std::int64_t> within(const Metric<std::int64_t>& value, std::int64_t least, std::int64_t most) {
  if (value && (*value < least || *value > most)) return missing(Missing::failed);
  return value;
}

}  // namespace

std::optional<Hwmon> Hwmon::find(const Files& files, const std::string& device_folder, std::string_view name) {
  const std::string parent = device_folder + "/hwmon";
  const auto monitors = files.list(parent);
  if (!monitors) return std::nullopt;
  std::optional<std::string> chosen;
  for (const auto& monitor : *monitors) {
    if (!numbered(monitor, "hwmon")) continue;
    const std::string folder = fmt::format("{}/{}", parent, monitor);
    if (!chosen) chosen = folder;
    if (name.empty()) break;
    if (const auto text = files.read(folder + "/name"); text && trim(*text) == name) {
      chosen = folder;
      break;
    }
  }
  if (!chosen) return std::nullopt;
  auto names = files.list(*chosen);
  if (!names) return std::nullopt;
  return Hwmon(files, *std::move(chosen), *std::move(names));
}

Hwmon::Hwmon(const Files& files, std::string folder, std::vector<std::string> names)
    : files_(&files), folder_(std::move(folder)), names_(names.begin(), names.end()) {
  for (const auto& name : names) {
    const bool is_label = name.ends_with("_label");
    const bool is_range = name.starts_with("pwm") && (name.ends_with("_min") || name.ends_with("_max"));
    if (!is_label && !is_range) continue;
    const auto text = files.read(folder_ + "/" + name);
    if (!text) continue;
    if (is_label) {
      labels_.emplace(name.substr(0, name.size() - std::string_view("_label").size()), trim(*text));
    } else if (const auto number = parse_i64(*text)) {
      ranges_.emplace(name, *number);
    }
  }
}

bool Hwmon::has(std::string_view attribute) const {
  return names_.find(attribute) != names_.end();
}

std::vector<unsigned> Hwmon::channels(std::string_view kind, std::string_view suffix) const {
  std::vector<unsigned> numbers;
  const std::string end = "_" + std::string(suffix);
  for (const auto& name : names_) {
    if (!name.ends_with(end)) continue;
    const std::string_view stem = std::string_view(name).substr(0, name.size() - end.size());
    if (const auto number = numbered(stem, kind)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string Hwmon::label(std::string_view kind, unsigned number) const {
  const auto found = labels_.find(fmt::format("{}{}", kind, number));
  return found == labels_.end() ? std::string() : found->second;
}

std::optional<unsigned> Hwmon::labelled(std::string_view kind, std::string_view label) const {
  for (const auto& [channel, text] : labels_) {
    if (text != label) continue;
    if (const auto number = numbered(channel, kind)) return *number;
  }
  return std::nullopt;
}

Metric<std::int64_t> Hwmon::raw(std::string_view attribute) const {
  if (!has(attribute)) return missing(Missing::not_supported);
  const auto text = files_->read(fmt::format("{}/{}", folder_, attribute));
  if (text) return number_from(*text);
  if (text.error().code == Errc::unavailable) refused_ = true;
  if (text.error().code == Errc::not_found) gone_ = true;
  return missing(missing_from(text.error().code));
}

Metric<Celsius> Hwmon::celsius(std::string_view attribute) const {
  return within(raw(attribute), kColdest, kHottest).map([](std::int64_t value) { return from_millidegrees(value); });
}

Metric<Watts> Hwmon::watts(std::string_view attribute) const {
  return within(raw(attribute), 0, kMostPower).map([](std::int64_t value) {
    return from_microwatts(static_cast<std::uint64_t>(value));
  });
}

Metric<std::uint64_t> Hwmon::microjoules(std::string_view attribute) const {
  return within(raw(attribute), 0, std::numeric_limits<std::int64_t>::max()).map([](std::int64_t value) {
    return static_cast<std::uint64_t>(value);
  });
}

Metric<Rpm> Hwmon::rpm(std::string_view attribute) const {
  const auto value = within(raw(attribute), 0, kFastestFan);
  if (value && *value == 0xffff) return missing(Missing::failed);
  return value.map([](std::int64_t number) { return Rpm(static_cast<std::uint32_t>(number)); });
}

Metric<double> Hwmon::volts(std::string_view attribute) const {
  return within(raw(attribute), -1'000'000, 1'000'000).map([](std::int64_t value) {
    return static_cast<double>(value) / 1e3;
  });
}

Metric<Megahertz> Hwmon::megahertz(std::string_view attribute) const {
  return within(raw(attribute), 0, 100'000'000'000).map([](std::int64_t value) {
    return Megahertz(static_cast<double>(value) / 1e6);
  });
}

Metric<std::int64_t> Hwmon::number(std::string_view attribute) const {
  return raw(attribute);
}

Metric<Percent> Hwmon::pwm(unsigned number) const {
  const auto limit = [&](std::string_view suffix, std::int64_t otherwise) {
    const auto found = ranges_.find(attribute_name("pwm", number, suffix));
    return found == ranges_.end() ? otherwise : found->second;
  };
  const auto least = limit("min", 0);
  const auto most = limit("max", 255);
  const auto value = raw(fmt::format("pwm{}", number));
  if (!value) return missing(value.error());
  if (least < 0 || most <= least || *value < 0 || *value > most) return missing(Missing::failed);
  // A share of full speed, not of the settable range: pwm 40 of 40…255 is a fan that turns, not a stopped one.
  return Percent(100.0 * static_cast<double>(*value) / static_cast<double>(most));
}

bool Hwmon::take_refused() {
  return std::exchange(refused_, false);
}

}  // namespace gpukeeper
