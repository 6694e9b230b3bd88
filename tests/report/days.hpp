#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "account/account.hpp"
#include "fakes/snapshots.hpp"
#include "report/report.hpp"

namespace gpukeeper::report {

/// Accounts for what reports on them. They begin at 20:20:00 UTC of 2026-05-28.
class Day {
 public:
  Day() {
    account.since = begin;
    account.until = begin;
  }

  std::uint32_t add_device(std::string name, std::uint32_t index) {
    account.devices.push_back({.id = {"GPU-" + std::to_string(index)},
                               .index = index,
                               .name = std::move(name),
                               .memory_bytes = 80.0 * (1ull << 30)});
    return static_cast<std::uint32_t>(account.devices.size() - 1);
  }

  std::uint32_t add_party(account::Party party) {
    account.parties.push_back(std::make_shared<const account::Party>(std::move(party)));
    return static_cast<std::uint32_t>(account.parties.size() - 1);
  }

  /// The next slot.
  account::Slot& add_slot(std::chrono::seconds length = std::chrono::minutes(10)) {
    auto slot = std::make_shared<account::Slot>();
    slot->begin = account.until;
    slot->length = length;
    account.until += length;
    account.slots.push_back(slot);
    return *slot;
  }

  Report report(Range range = {}, Sources sources = {}) const {
    if (sources.host.empty()) sources.host = "gpu-box";
    sources.basis = Basis::daemon;
    auto gathered = gather(account, range, sources);
    return gathered ? *gathered : Report();
  }

  const WallTime begin = kThen - std::chrono::seconds(400);
  account::Account account;
};

/// A device that was watched for so long, held by nobody.
inline account::DeviceUse watched(double seconds, double watts) {
  account::DeviceUse use;
  use.watched_seconds = seconds;
  use.joules = watts * seconds;
  use.free = {.gpu_seconds = seconds, .joules = use.joules, .byte_seconds = 1e9 * seconds};
  use.celsius_seconds = 50 * seconds;
  use.celsius_known_seconds = seconds;
  use.celsius = account::Peak{64, kThen};
  use.watts = account::Peak{watts, kThen};
  use.bytes = account::Peak{10.0 * (1ull << 30), kThen};
  use.byte_seconds = 1e9 * seconds;
  use.byte_known_seconds = seconds;
  return use;
}

inline account::Usage used(double seconds, double share, double watts) {
  account::Usage usage;
  usage.gpu_seconds = seconds;
  usage.busy_seconds = share * seconds;
  usage.joules = watts * seconds;
  usage.byte_seconds = 1e9 * seconds;
  return usage;
}

/// Two hours of two GPUs: mara's job on one, the other free. Names may be others.
inline Day two_gpus(const std::string& user = "mara", const std::string& service = "job 48213",
                    const std::string& device = "NVIDIA H100 80GB HBM3") {
  Day day;
  const auto first = day.add_device(device, 0), second = day.add_device(device, 1);
  const auto mara = day.add_party({.user = user, .service = service, .container = service, .pod = user, .job = user});
  const auto nobody = day.add_party({});
  for (int i = 0; i < 12; ++i) {
    account::Slot& slot = day.add_slot();
    account::DeviceUse held = watched(600, 500);
    held.held_seconds = 600;
    held.busy_seconds = 540;
    held.free = {};
    held.slowed_seconds = 60;
    held.slowed_by_heat_seconds = 60;
    slot.devices[first] = held;
    slot.devices[second] = watched(600, 80);
    slot.parties[{first, mara}] = used(500, 0.9, 500);
    slot.parties[{first, nobody}] = used(100, 0.9, 500);
  }
  return day;
}

/// A ledger's document with one lease of that service, hardly used, granted an hour after the begin of a day.
inline std::string hardly_used_lease(const std::string& service = "embedding") {
  return R"({"schema":"gpukeeper.leases/1","devices":[],"waiting":[],"leases":[
    {"id":"7","service":")" +
         service + R"(","user":"ana","device":"GPU-1","index":1,"state":"active","min_bytes":42949672960,
     "peak_bytes":3221225472,"observed_bytes":3221225472,"created":"2026-05-28T21:20:00.000Z",
     "changed":"2026-05-28T21:20:01.000Z"}]})";
}

}  // namespace gpukeeper::report
