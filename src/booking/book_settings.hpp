#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "ledger/ledger_settings.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What is otherwise in the limit of some devices. What is not said stays as it is for all.
struct DeviceLimitChange {
  /// By index ("0", of a partition "0:1"), or by UUID or name, where * stands for any characters.
  std::string device;
  std::optional<Bytes> headroom;
  std::optional<Bytes> most;
  bool most_is_auto = false;
  std::optional<double> burst_ratio;
  friend bool operator==(const DeviceLimitChange&, const DeviceLimitChange&) = default;
};

/// What is done about a lease whose processes hold more than its most, beside the alert.
enum class OverusePolicy : std::uint8_t {
  alert,      ///< nothing
  ask,        ///< its holder is asked for the memory
  terminate,  ///< then its processes are asked to end (SIGTERM), then ended (SIGKILL)
};

struct OveruseSettings {
  OverusePolicy policy = OverusePolicy::alert;
  std::chrono::nanoseconds patience = std::chrono::seconds(30);  ///< from the first sight to the asking
  std::chrono::nanoseconds grace = std::chrono::seconds(10);     ///< from each of these to the next
  friend bool operator==(const OveruseSettings&, const OveruseSettings&) = default;
};

/// All that a person may set of the book. Devices are named as a person names them: which ones these are is seen when
/// the drivers are looked at.
struct BookSettings {
  /// Its `limits` are empty; the devices of its quotas are named as in DeviceLimitChange.
  LedgerSettings ledger;
  std::vector<DeviceLimitChange> devices;  ///< of several that fit, the later wins
  OveruseSettings overuse;
  friend bool operator==(const BookSettings&, const BookSettings&) = default;
};

/// Everything that is wrong with them as a whole, a sentence each that begins with the key.
std::vector<std::string> check(const BookSettings& settings);

/// As they hold for the devices of a snapshot. A service's device that is not there stays as it was named: it is none
/// that may be used, and never all of them.
LedgerSettings settings_for(const BookSettings& settings, const Snapshot& snapshot);

}  // namespace gpukeeper
