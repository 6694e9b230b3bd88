#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "account/party.hpp"
#include "account/usage.hpp"
#include "core/clock.hpp"
#include "device/device.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper::account {

/// A device that the account speaks of, as it was when it was last seen.
struct AccountedDevice {
  DeviceId id;
  std::uint32_t index = 0;
  std::string name;
  bool simulated = false;
  bool recorded = false;
  std::optional<double> memory_bytes;  ///< all that it has
};

/// The sums of a piece of time. What spans its end counts where it began.
struct Slot {
  WallTime begin{};
  std::chrono::seconds length{};
  std::map<std::uint32_t, DeviceUse> devices;                        ///< by place in Account::devices
  std::map<std::pair<std::uint32_t, std::uint32_t>, Usage> parties;  ///< by place of device and of party
  Division division;

  WallTime end() const { return begin + length; }
  bool holds(WallTime at) const { return begin <= at && at < end(); }

  Slot& operator+=(const Slot& more);
};

/// Where the devices and the parties of one account stand in another.
struct Places {
  std::vector<std::uint32_t> devices;
  std::vector<std::uint32_t> parties;
};

/// The slot as it stands in the other account; what comes to the same place is added up.
Slot moved(const Slot& slot, const Places& places);

/// Who used what, slot by slot. Immutable; cheap to copy, as closed slots are shared.
struct Account {
  std::optional<WallTime> since;  ///< of the first snapshot
  WallTime until{};               ///< of the latest
  std::vector<AccountedDevice> devices;
  std::vector<std::shared_ptr<const Party>> parties;
  std::vector<std::shared_ptr<const Slot>> slots;  ///< by begin; without those in which nothing was watched
  std::map<std::string, std::string> pods;  ///< how Kubernetes calls those of the parties, by uid: "ml/trainer-0"
  std::vector<Alert> alerts;                ///< that were raised, as they were last seen; by when they were raised
};

/// How people call a pod: "ml/trainer-0" where that was told, else its uid.
std::string pod_name(const Account& account, const std::string& uid);

/// The service as people call it: "pod ml/trainer-0" of a pod's, where its name was told.
std::string service_name(const Account& account, const Party& party);

/// What two accounts know, as one: that of `older` stays in front. No moment may stand in slots of both.
Account joined(Account older, const Account& newer);

}  // namespace gpukeeper::account
