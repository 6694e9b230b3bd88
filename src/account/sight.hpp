#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "account/party.hpp"
#include "account/sharing.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::account {

/// Below this use, in percent, a device does nothing. Not 0: drivers report a percent or two of a desktop's blinking.
inline constexpr double kIdleBelow = 5;
/// Who holds less than this does not keep others out: a desktop, a monitor.
inline constexpr double kWorthHolding = 1 << 30;

/// One process on a device, with its share of it.
struct Holding {
  Party party;
  std::string pod_name = {};    ///< "ml/trainer-0"; empty when it is in no pod, or nobody has told yet
  double share = 0;             ///< of the device; those of all processes add up to 1
  std::optional<double> bytes;  ///< held
  bool idle = false;            ///< it holds memory that others could use, and does nothing
};

/// What one snapshot says of a device, as far as the account needs it.
struct Sight {
  enum class Kind { watched, asleep, away };
  Kind kind = Kind::away;
  std::optional<double> busy;  ///< 0..1
  std::optional<double> watts;
  std::optional<double> joules;  ///< of the device's own counter, which only grows
  std::optional<double> celsius;
  std::optional<double> bytes;  ///< in use, whoever's
  std::optional<bool> slowed;
  bool by_heat = false;   ///< of slowed
  bool by_power = false;  ///< of slowed
  bool idle = false;      ///< the use was measured, and is none
  bool processes_known = false;
  SharedBy shared_by = SharedBy::evenly;
  std::vector<Holding> holdings;  ///< a process each
};

/// `device` is a physical one; processes in its partitions count.
Sight look(const Snapshot& snapshot, const DeviceSnapshot& device, std::span<const LeasedProcess> leased);

}  // namespace gpukeeper::account
