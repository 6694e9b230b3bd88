#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/sysfs/drm_card.hpp"
#include "backend/sysfs/energy_rate.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// The reason that a driver's word stands for: "pl1", "vr_thermalert"; Throttle::other for a word that is not known.
/// Words: Documentation of xe (Xe GT Throttle) and i915's throttle_reason_* files.
Throttle intel_throttle(std::string_view word);

/// A frequency in megahertz out of a driver's file. One driver path reports hertz: no GPU runs at 100 GHz.
Metric<Megahertz> intel_frequency(std::int64_t value);

/// One GT of an Intel GPU: the block of engines with a clock of its own. A tile has one for graphics and compute and,
/// since Meteor Lake, one for media.
class IntelGt {
 public:
  /// What one GT says at one instant.
  struct State {
    Metric<Megahertz> clock = missing(Missing::not_supported);  ///< 0 while it is powered down, as the driver says
    Metric<Megahertz> clock_max = missing(Missing::not_supported);
    Metric<Percent> busy = missing(Missing::not_supported);  ///< the time in which it was not in its idle state
    Metric<ThrottleReasons> throttle = missing(Missing::not_supported);
    bool lost = false;  ///< a file that was there has vanished
  };

  /// Reads now. `standing_still`: the files are a recording, so that no rate can be had from them.
  State read(const Files& files, MonotonicTime now, bool standing_still);

  /// The driver's power profile in force ("base"); slow to change.
  Metric<std::string> profile(const Files& files) const;

  /// Forgets what rates were based on.
  void reset() { idle_.reset(); }

  unsigned tile = 0;
  unsigned number = 0;
  bool media = false;

 private:
  friend std::vector<IntelGt> find_xe_gts(const Files& files, const std::string& device_folder);
  friend std::vector<IntelGt> find_i915_gts(const Files& files, const DrmCard& card, bool integrated);

  Metric<ThrottleReasons> read_throttle(const Files& files) const;

  // Paths; empty where there is no such file.
  std::string clock_path_;
  std::string clock_max_path_;
  std::string idle_path_;
  std::string profile_path_;
  std::string reasons_path_;                                    // the words in one line
  std::string status_path_;                                     // whether there is any reason
  std::vector<std::pair<std::string, Throttle>> reason_paths_;  // one file a reason
  std::optional<Metric<Megahertz>> clock_max_;                  // a fact: read once
  ResidencyRate idle_;
};

/// The GTs of a card, ordered by tile and number; empty where the driver shows none. Only while the device is awake.
std::vector<IntelGt> find_xe_gts(const Files& files, const std::string& device_folder);
std::vector<IntelGt> find_i915_gts(const Files& files, const DrmCard& card, bool integrated);

}  // namespace gpukeeper
