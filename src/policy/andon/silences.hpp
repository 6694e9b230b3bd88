#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "policy/andon/andon_settings.hpp"
#include "policy/andon/silence.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Whether a device is meant by a glob: its UUID, PCI address, name or index.
bool is_meant(std::string_view glob, const Device& device, std::uint32_t index);

/// The silences that hold, those of the configuration and those that people asked for. They end by the monotonic clock,
/// so that setting the date ends none.
class Silences {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::chrono::hours kLongest{24 * 365};

  /// Goes on from what was saved; those that have ended meanwhile are left out.
  void restore(const SilenceList& saved, std::uint64_t last_number, MonotonicTime now, WallTime wall);

  /// Those of the configuration, instead of those before.
  void set_standing(const std::vector<StandingSilence>& standing, WallTime wall);

  /// Errors: invalid_argument for a time that is none or longer than a year; resource_exhausted above kMost.
  Result<Silence> add(AlertMatcher matcher, std::chrono::nanoseconds length, std::string by, std::string comment,
                      MonotonicTime now, WallTime wall);
  /// Errors: not_found; not_permitted for one of the configuration.
  Result<void> remove(std::string_view id);
  /// Lets those go whose time is over; whether there were any.
  bool expire(MonotonicTime now);

  struct Fit {
    bool silenced = false;
    std::optional<WallTime> until;  ///< nothing: as long as it stands in the configuration
  };
  /// `device` is null for an alert of the machine as a whole.
  Fit of(const Alert& alert, const Device* device) const;

  /// Another number after every change.
  std::uint64_t version() const { return version_; }
  std::uint64_t last_number() const { return last_number_; }
  SilenceList list() const;
  SilenceList of_people() const;

 private:
  struct Timed {
    Silence silence;
    MonotonicTime ends;
  };

  SilenceList standing_;
  std::vector<Timed> timed_;
  std::uint64_t last_number_ = 0;
  std::uint64_t version_ = 1;
};

}  // namespace gpukeeper
