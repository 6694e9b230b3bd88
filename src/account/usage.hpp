#pragma once

#include <optional>

#include "account/sharing.hpp"
#include "core/clock.hpp"

// Sums over time. Each adds up: over slots, over devices, over parties. Units stand in the names.
namespace gpukeeper::account {

/// What a party used of a device. Of a moment that several share, its share (sharing.hpp).
struct Usage {
  double gpu_seconds = 0;             ///< the device was theirs
  double busy_seconds = 0;            ///< of these by measured use: a second at 50 % is half a second
  double busy_unknown_seconds = 0;    ///< of gpu_seconds: nobody measured the use
  double idle_seconds = 0;            ///< of gpu_seconds: memory was held and the device did nothing (kIdleBelow)
  double joules = 0;                  ///< their share of what the board drew
  double joules_unknown_seconds = 0;  ///< of gpu_seconds: nobody measured the power
  double idle_joules = 0;             ///< of joules: in idle_seconds
  double byte_seconds = 0;            ///< memory held, times how long
  double byte_unknown_seconds = 0;    ///< time of a process whose memory nobody told
  double hoarded_seconds = 0;  ///< time of a process that held kWorthHolding or more and did not use the device itself
  double hoarded_byte_seconds = 0;  ///< of byte_seconds: in that time

  Usage& operator+=(const Usage& more);
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// The highest value that was read, and when for the first time.
struct Peak {
  double value = 0;
  WallTime at{};
  friend bool operator==(const Peak&, const Peak&) = default;
};

/// The higher one; of equal ones the earlier.
void raise(std::optional<Peak>& peak, const std::optional<Peak>& other);

/// What a device did. `watched` is the time for which a reading speaks; all other times but `away` and `asleep` are
/// parts of it.
struct DeviceUse {
  double watched_seconds = 0;
  double away_seconds = 0;          ///< it was lost, hung, or could not be read
  double asleep_seconds = 0;        ///< it slept, or was left alone so that it may
  double held_seconds = 0;          ///< somebody's process was on it
  double held_unknown_seconds = 0;  ///< its processes could not be listed
  double idle_seconds = 0;          ///< as in Usage, of all parties
  double busy_seconds = 0;          ///< by measured use
  double busy_unknown_seconds = 0;
  double joules = 0;
  double joules_unknown_seconds = 0;
  double slowed_seconds = 0;           ///< the driver held its clocks back, for a reason that is trouble
  double slowed_by_heat_seconds = 0;   ///< of these
  double slowed_by_power_seconds = 0;  ///< of these, and not by heat
  double slowed_unknown_seconds = 0;   ///< the driver does not say
  double celsius_seconds = 0;          ///< temperature times how long: for averages
  double celsius_known_seconds = 0;
  double byte_seconds = 0;  ///< memory in use, whoever's
  double byte_known_seconds = 0;
  std::optional<Peak> celsius;
  std::optional<Peak> watts;
  std::optional<Peak> bytes;
  // What is no party's, so that the usages of all parties and these two add up to what the device did.
  Usage free;      ///< while nobody was on it
  Usage unlisted;  ///< while it is not known who was on it; of memory, what no process was told to hold at any time

  DeviceUse& operator+=(const DeviceUse& more);
  friend bool operator==(const DeviceUse&, const DeviceUse&) = default;
};

/// By what the moments of devices were divided that several shared (sharing.hpp), in device seconds.
struct Division {
  double by_use_seconds = 0;
  double by_memory_seconds = 0;
  double evenly_seconds = 0;

  void add(SharedBy by, double seconds);
  Division& operator+=(const Division& more);
  friend bool operator==(const Division&, const Division&) = default;
};

}  // namespace gpukeeper::account
