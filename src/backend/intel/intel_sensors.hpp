#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/sysfs/energy_rate.hpp"
#include "backend/sysfs/hwmon.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// The hardware monitor of an Intel card (only discrete ones have one), read into a Reading.
///
/// xe labels its channels: temperatures "pkg", "vram", "mctrl", "pcie", "vram_ch_N" from temp2 on; energies "card" and
/// "pkg". i915 has one unlabelled channel of each. Sources: sysfs-driver-intel-xe-hwmon and
/// sysfs-driver-intel-i915-hwmon in the kernel's Documentation/ABI/testing.
class IntelSensors {
 public:
  /// Looks once for what there is, and reads what does not change. Only while the device is awake.
  IntelSensors(const Files& files, const std::string& device_folder, const std::string& driver);

  /// Whether the card has a monitor at all.
  bool present() const { return hwmon_.has_value(); }

  /// Whether the monitor's files have vanished since.
  bool gone() const { return hwmon_ && hwmon_->gone(); }

  /// What changes quickly: main temperatures, first fan, power, energy, power limit.
  void read(Reading& reading, MonotonicTime now);

  /// The further channels, for Reading::sensors.
  std::vector<Sensor> further(MonotonicTime now);

  /// Forgets what rates were based on.
  void reset();

 private:
  /// The first limit of these that is set: 0 means that it is switched off.
  Metric<Watts> first_limit(std::initializer_list<std::string_view> attributes) const;

  std::optional<Hwmon> hwmon_;
  std::optional<unsigned> die_;  // temperature channels
  std::optional<unsigned> memory_;
  std::optional<unsigned> board_energy_;
  std::optional<unsigned> chip_energy_;
  EnergyRate board_rate_;
  EnergyRate chip_rate_;

  // Facts, read once.
  Metric<Celsius> slowdown_ = missing(Missing::not_supported);
  Metric<Celsius> shutdown_ = missing(Missing::not_supported);
  Metric<Watts> rated_ = missing(Missing::not_supported);
  Metric<Rpm> fastest_ = missing(Missing::not_supported);
};

}  // namespace gpukeeper
