#include "backend/intel/intel_sensors.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

std::string name_of(const Hwmon& hwmon, std::string_view kind, unsigned number) {
  const auto label = hwmon.label(kind, number);
  return label.empty() ? fmt::format("{}{}", kind, number) : label;
}

/// The channel with that label; else, where the driver labels nothing, the first one.
std::optional<unsigned> channel(const Hwmon& hwmon, std::string_view kind, std::string_view label) {
  if (const auto found = hwmon.labelled(kind, label)) return found;
  const auto all = hwmon.channels(kind);
  if (all.empty() || !hwmon.label(kind, all.front()).empty()) return std::nullopt;
  return all.front();
}

}  // namespace

IntelSensors::IntelSensors(const Files& files, const std::string& device_folder, const std::string& driver)
    : hwmon_(Hwmon::find(files, device_folder, driver)) {
  if (!hwmon_) return;
  die_ = channel(*hwmon_, "temp", "pkg");
  memory_ = hwmon_->labelled("temp", "vram");
  board_energy_ = channel(*hwmon_, "energy", "card");
  chip_energy_ = hwmon_->labelled("energy", "pkg");
  if (die_) {
    // tempN_max of xe is left out: a B580 tells 60 degrees there, where it works every day, so it is no limit to warn
    // of.
    slowdown_ = hwmon_->celsius(fmt::format("temp{}_crit", *die_));
    shutdown_ = hwmon_->celsius(fmt::format("temp{}_emergency", *die_));
  }
  rated_ = first_limit({"power1_rated_max", "power2_rated_max"});
  fastest_ = hwmon_->rpm("fan1_max");
}

Metric<Watts> IntelSensors::first_limit(std::initializer_list<std::string_view> attributes) const {
  Metric<Watts> result = missing(Missing::not_supported);
  for (const auto attribute : attributes) {
    const auto value = hwmon_->watts(attribute);
    if (value && value->value() > 0) return value;
    if (!value && value.error() != Missing::not_supported) result = value;
  }
  return result;
}

void IntelSensors::read(Reading& reading, MonotonicTime now) {
  if (!hwmon_) return;
  if (die_) reading.temperature = hwmon_->celsius(fmt::format("temp{}_input", *die_));
  if (memory_) reading.temperature_memory = hwmon_->celsius(fmt::format("temp{}_input", *memory_));
  reading.temperature_slowdown = slowdown_;
  reading.temperature_shutdown = shutdown_;

  reading.fan_speed = hwmon_->rpm("fan1_input");
  if (reading.fan_speed && fastest_ && fastest_->value() > 0) {
    // Not pwm1: under the card's own control xe tells 0 there while the fan turns.
    reading.fan = Percent(std::min(100.0, 100.0 * reading.fan_speed->value() / fastest_->value()));
  }

  if (board_energy_) {
    const auto energy = hwmon_->microjoules(fmt::format("energy{}_input", *board_energy_));
    reading.energy = energy.map(&from_microjoules);
    reading.power = energy ? board_rate_.update(now, *energy) : Metric<Watts>(missing(energy.error()));
    if (!energy) board_rate_.reset();
  } else if (chip_energy_) {
    // Before Linux 6.16 a Battlemage card tells the chip's energy only, without memory and fans: the best there is.
    const auto energy = hwmon_->microjoules(fmt::format("energy{}_input", *chip_energy_));
    reading.energy = energy.map(&from_microjoules);
    reading.power = energy ? chip_rate_.update(now, *energy) : Metric<Watts>(missing(energy.error()));
    if (!energy) chip_rate_.reset();
  }

  // 1 is the card, 2 the chip; max is what may last (PL1), cap a burst (PL2; sysfs-driver-intel-xe-hwmon). The card's
  // cap is the figure that boards are known by; of a chip alone the lasting one tells more.
  reading.power_limit = first_limit({"power1_cap", "power1_max", "power2_max", "power2_cap"});
  reading.power_limit_default = rated_;
}

std::vector<Sensor> IntelSensors::further(MonotonicTime now) {
  std::vector<Sensor> sensors;
  if (!hwmon_) return sensors;
  const auto add = [&](std::string name, std::string_view unit, const auto& metric, auto value) {
    if (metric) sensors.push_back(Sensor{std::move(name), std::string(unit), value(*metric)});
  };
  const auto plain = [](const auto& quantity) { return static_cast<double>(quantity.value()); };
  for (const auto number : hwmon_->channels("temp")) {
    if (number == die_ || number == memory_) continue;
    add(name_of(*hwmon_, "temp", number), "celsius", hwmon_->celsius(fmt::format("temp{}_input", number)), plain);
  }
  for (const auto number : hwmon_->channels("fan")) {
    if (number == 1) continue;
    add(name_of(*hwmon_, "fan", number), "rpm", hwmon_->rpm(fmt::format("fan{}_input", number)), plain);
  }
  for (const auto number : hwmon_->channels("in")) {
    add(name_of(*hwmon_, "in", number), "volts", hwmon_->volts(fmt::format("in{}_input", number)),
        [](double volts) { return volts; });
  }
  if (board_energy_ && chip_energy_) {
    const auto energy = hwmon_->microjoules(fmt::format("energy{}_input", *chip_energy_));
    if (energy) {
      add(name_of(*hwmon_, "energy", *chip_energy_), "watts", chip_rate_.update(now, *energy), plain);
    } else {
      chip_rate_.reset();
    }
  }
  return sensors;
}

void IntelSensors::reset() {
  board_rate_.reset();
  chip_rate_.reset();
}

}  // namespace gpukeeper
