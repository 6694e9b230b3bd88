#include "actuators/sysfs_actuators.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "actuators/amdgpu_clocks.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

Result<std::uint64_t> number(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return tl::make_unexpected(text.error());
  if (const auto value = parse_u64(trim(*text))) return *value;
  return fail(Errc::internal, fmt::format("read {}: '{}' is no number", path, std::string(trim(*text))));
}

// A file with one number that bounds something: a power cap, a highest clock.
class NumberActuator final : public Actuator {
 public:
  NumberActuator(ActuatorName name, std::string lowest_path, Percent lowest, const Files& files, KernelFiles& writes)
      : name_(std::move(name)), lowest_path_(std::move(lowest_path)), lowest_(lowest), files_(files), writes_(writes) {}

  const ActuatorName& name() const override { return name_; }

  Result<std::string> look() override {
    const auto value = number(files_, name_.place);
    if (!value) return tl::make_unexpected(value.error());
    return std::to_string(*value);
  }

  // amdgpu rounds to whole watts, i915 and xe to their own steps of clock and power.
  bool is_ours(const std::string& now, const std::string& set) const override {
    const auto is = static_cast<double>(parse_u64(now).value_or(0));
    const auto ours = static_cast<double>(parse_u64(set).value_or(0));
    return std::abs(is - ours) <= 0.02 * ours;
  }

  // At half speed and below as low as is allowed, else between that and what was found.
  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    const auto usual = parse_u64(found);
    if (!usual || *usual == 0 || *usual > kHighest) return std::nullopt;  // amdgpu: 0 stands for no cap
    const auto full = static_cast<double>(*usual);
    double low = full * lowest_.value() / 100;
    if (const auto least = number(files_, lowest_path_)) low = std::max(low, static_cast<double>(*least));
    const double target = multiplier <= 0.5 ? low : std::max(low, full * multiplier);
    if (target >= full) return std::nullopt;
    std::string value = std::to_string(std::llround(target));
    if (is_ours(value, found)) return std::nullopt;
    return value;
  }

  Result<void> set(const std::string& value) override { return writes_.write(name_.place, value); }
  Result<void> give_back(const std::string& found) override { return set(found); }

  std::string spell(const std::string& value) const override {
    if (name_.kind != ActuatorKind::power_limit) return fmt::format("up to {} MHz", value);
    const auto number = parse_double(value);
    return number ? fmt::format("{:g} W", *number / 1e6) : value;
  }

 private:
  // A gigawatt in microwatts. Drivers that mean no bound write the largest number that there is.
  static constexpr std::uint64_t kHighest = 1'000'000'000'000'000;

  const ActuatorName name_;
  const std::string lowest_path_;
  const Percent lowest_;
  const Files& files_;
  KernelFiles& writes_;
};

// pwm1 and pwm1_enable as one value: "auto", the speed of 255 that is set by hand, or "mode 0", a fan at full speed
// that nobody controls, and whatever other modes there are.
class PwmActuator final : public Actuator {
 public:
  PwmActuator(ActuatorName name, Percent slow, Percent fast, const Files& files, KernelFiles& writes)
      : name_(std::move(name)), slow_(slow), fast_(fast), files_(files), writes_(writes) {}

  const ActuatorName& name() const override { return name_; }

  Result<std::string> look() override {
    const auto mode = number(files_, enable());
    if (!mode) return tl::make_unexpected(mode.error());
    if (*mode == kByDriver) return std::string(kAutomatic);
    if (*mode != kByHand) return fmt::format("mode {}", *mode);
    const auto speed = number(files_, name_.place);
    if (!speed) return tl::make_unexpected(speed.error());
    return std::to_string(*speed);
  }

  // As with NVIDIA's: a fan must not stay without anybody who controls it.
  bool is_ours(const std::string& now, const std::string&) const override { return parse_u64(now).has_value(); }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (found != kAutomatic) return std::nullopt;  // somebody chose it, and knows why
    const double percent = multiplier <= 0 ? 100 : multiplier <= 0.5 ? fast_.value() : slow_.value();
    const auto now = number(files_, name_.place);
    const auto value = static_cast<std::uint64_t>(std::ceil(percent / 100 * kFull));
    if (now && *now >= value && *now <= kFull && !by_hand()) return std::nullopt;  // faster already
    return std::to_string(value);
  }

  Result<void> set(const std::string& value) override {
    if (value == kAutomatic) return writes_.write(enable(), std::to_string(kByDriver));
    if (auto mode = writes_.write(enable(), std::to_string(kByHand)); !mode) return mode;
    return writes_.write(name_.place, value);
  }
  Result<void> give_back(const std::string& found) override { return set(found); }

  std::string spell(const std::string& value) const override {
    if (value == kAutomatic) return "its own curve";
    const auto speed = parse_u64(value);
    return speed ? fmt::format("{:.0f} %", static_cast<double>(*speed) * 100 / kFull) : value;
  }

 private:
  static constexpr std::uint64_t kByHand = 1;
  static constexpr std::uint64_t kByDriver = 2;
  static constexpr std::uint64_t kFull = 255;
  static constexpr std::string_view kAutomatic = "auto";

  std::string enable() const { return name_.place + "_enable"; }
  bool by_hand() const { return number(files_, enable()).value_or(kByDriver) == kByHand; }

  const ActuatorName name_;
  const Percent slow_;
  const Percent fast_;
  const Files& files_;
  KernelFiles& writes_;
};

bool has(const Files& files, const std::string& folder, std::string_view name) {
  const auto names = files.list(folder);
  return names && std::ranges::find(*names, name) != names->end();
}

std::vector<std::string> folders(const Files& files, const std::string& folder, std::string_view prefix) {
  std::vector<std::string> result;
  for (const std::string& name : files.list(folder).value_or(std::vector<std::string>())) {
    if (name.starts_with(prefix)) result.push_back(folder + "/" + name);
  }
  return result;
}

}  // namespace

std::vector<std::unique_ptr<Actuator>> sysfs_actuators(const Device& device, const ActuatorSettings& settings,
                                                       const Files& files, KernelFiles& writes) {
  std::vector<std::unique_ptr<Actuator>> result;
  if (!device.pci || device.vendor == Vendor::nvidia) return result;
  const std::string folder = "/sys/bus/pci/devices/" + device.pci->to_string();
  const auto add = [&](ActuatorKind kind, const std::string& path, const std::string& least, Percent lowest) {
    result.push_back(
        std::make_unique<NumberActuator>(ActuatorName{kind, device.id, path}, least, lowest, files, writes));
  };
  for (const std::string& monitor : folders(files, folder + "/hwmon", "hwmon")) {
    for (const std::string_view cap : {"power1_cap", "power1_max"}) {
      if (!settings.power_limit || !has(files, monitor, cap)) continue;
      add(ActuatorKind::power_limit, fmt::format("{}/{}", monitor, cap), monitor + "/power1_cap_min",
          settings.power_limit_lowest);
      break;
    }
    if (settings.fan && has(files, monitor, "pwm1_enable")) {
      result.push_back(std::make_unique<PwmActuator>(ActuatorName{ActuatorKind::fan, device.id, monitor + "/pwm1"},
                                                     settings.fan_slow, settings.fan_fast, files, writes));
    }
  }
  if (!settings.locked_clocks) return result;
  if (auto clocks = amdgpu_clocks(device.id, folder, settings.clocks_lowest, files, writes)) {
    result.push_back(std::move(clocks));
  }
  for (const std::string& card : folders(files, folder + "/drm", "card")) {
    if (!has(files, card, "gt_max_freq_mhz")) continue;
    add(ActuatorKind::locked_clocks, card + "/gt_max_freq_mhz", card + "/gt_RPn_freq_mhz", settings.clocks_lowest);
  }
  for (const std::string& tile : folders(files, folder, "tile")) {
    for (const std::string& gt : folders(files, tile, "gt")) {
      if (!has(files, gt + "/freq0", "max_freq")) continue;
      add(ActuatorKind::locked_clocks, gt + "/freq0/max_freq", gt + "/freq0/rpn_freq", settings.clocks_lowest);
    }
  }
  return result;
}

}  // namespace gpukeeper
