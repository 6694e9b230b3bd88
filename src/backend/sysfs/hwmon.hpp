#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// The sensors that a card's driver gives to the kernel's hardware monitor (`device/hwmon/hwmonN`; N changes at boot).
///
/// What does not change (which sensors there are, and their labels) is read once, when the object is made; a reading
/// then costs one file a value, and a sensor that is not there costs none. Looking for sensors touches the device with
/// some drivers, so make one only while the device is awake.
/// Units and names: Documentation/hwmon/sysfs-interface.rst of the kernel.
/// Threads: one caller at a time.
class Hwmon {
 public:
  /// The monitor of the card with that device folder: the one whose `name` is `name`, else the first; nothing when
  /// there is none.
  static std::optional<Hwmon> find(const Files& files, const std::string& device_folder, std::string_view name = {});

  const std::string& folder() const { return folder_; }

  /// Whether the monitor has this file, as "temp1_input".
  bool has(std::string_view attribute) const;

  /// The numbers N for which there is a file kindN_suffix, ascending: channels("temp") is {1, 2, 3}.
  std::vector<unsigned> channels(std::string_view kind, std::string_view suffix = "input") const;

  /// The driver's label of a channel; empty when it has none.
  std::string label(std::string_view kind, unsigned number) const;

  /// The channel with that label.
  std::optional<unsigned> labelled(std::string_view kind, std::string_view label) const;

  /// One value. Absent: not_supported without any access when the monitor has no such file, else by the error of the
  /// access; failed when the text is no number or a number that no such sensor can have.
  Metric<Celsius> celsius(std::string_view attribute) const;            // tempN_*: millidegrees
  Metric<Watts> watts(std::string_view attribute) const;                // powerN_*: microwatts
  Metric<std::uint64_t> microjoules(std::string_view attribute) const;  // energyN_input
  Metric<Rpm> rpm(std::string_view attribute) const;                    // fanN_*
  Metric<double> volts(std::string_view attribute) const;               // inN_*: millivolts
  Metric<Megahertz> megahertz(std::string_view attribute) const;        // freqN_input: hertz
  Metric<std::int64_t> number(std::string_view attribute) const;        // pwmN_enable and other bare numbers

  /// pwmN as a share of full speed: pwmN_max where the driver tells it, else 255.
  Metric<Percent> pwm(unsigned number) const;

  /// Whether a driver answered "not now" (EPERM, EBUSY) to any read since the last call: amdgpu does so while the card
  /// sleeps or is reset, so the values are then absent for a reason that the power state tells better.
  bool take_refused();

  /// Whether a file that was there has vanished: the driver was unbound or loaded again. Find the monitor anew.
  bool gone() const { return gone_; }

 private:
  Hwmon(const Files& files, std::string folder, std::vector<std::string> names);
  Metric<std::int64_t> raw(std::string_view attribute) const;

  const Files* files_;
  std::string folder_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, std::string, std::less<>> labels_;   // "temp1" to "edge"
  std::map<std::string, std::int64_t, std::less<>> ranges_;  // "pwm1_max" to 255
  mutable bool refused_ = false;
  mutable bool gone_ = false;
};

}  // namespace gpukeeper
