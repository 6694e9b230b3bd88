#include "account/sight.hpp"

#include <algorithm>
#include <cmath>

#include "telemetry/who.hpp"

namespace gpukeeper::account {
namespace {

// A number that a driver told. What is none would spoil every sum that it comes into.
template <class T>
std::optional<double> known(const Metric<T>& metric) {
  if (!metric) return std::nullopt;
  const auto value = static_cast<double>(metric->value());
  return std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

bool any_of(ThrottleReasons reasons, std::initializer_list<Throttle> some) {
  return std::ranges::any_of(some, [&](Throttle reason) { return reasons.has(reason); });
}

void look_at_clocks(const Reading& reading, Sight& sight) {
  if (!reading.throttle_reasons) return;
  const ThrottleReasons reasons = *reading.throttle_reasons;
  using enum Throttle;
  sight.slowed = reasons.slowed();
  sight.by_heat =
      any_of(reasons, {software_thermal, hardware_thermal, thermal, thermal_memory, thermal_regulator, prochot});
  sight.by_power = any_of(reasons, {software_power_cap, hardware_power_brake, power, current, voltage});
}

const LeasedProcess* lease_of(const DeviceSnapshot& device, const GpuProcess& process,
                              std::span<const LeasedProcess> leased) {
  const auto found = std::ranges::find_if(leased, [&](const LeasedProcess& each) {
    return each.pid == process.pid && (each.device == device.device->id || each.device == process.partition);
  });
  return found == leased.end() ? nullptr : &*found;
}

std::string pod_name_of(const ProcessFacts* facts) {
  return facts && facts->place && facts->place->pod ? pod_title(*facts->place->pod) : std::string();
}

// Of the device itself, and of its partitions where these list what it does not.
std::vector<const GpuProcess*> processes_of(const DeviceSnapshot& device) {
  std::vector<const GpuProcess*> all;
  const auto add = [&](const std::vector<GpuProcess>& some) {
    for (const GpuProcess& process : some) {
      const auto same = [&](const GpuProcess* each) { return each->pid == process.pid; };
      if (std::ranges::none_of(all, same)) all.push_back(&process);
    }
  };
  add(*device.processes);
  for (const DeviceSnapshot& partition : device.partitions) add(*partition.processes);
  return all;
}

void look_at_processes(const Snapshot& snapshot, const DeviceSnapshot& device, std::span<const LeasedProcess> leased,
                       Sight& sight) {
  sight.processes_known = device.processes_reason.empty();
  std::vector<Claim> claims;
  for (const GpuProcess* process : processes_of(device)) {
    const Claim claim{.use = known(process->utilization), .bytes = known(process->memory)};
    claims.push_back(claim);
    const bool rests = claim.use ? *claim.use < kIdleBelow : sight.idle;
    const ProcessFacts* const facts = facts_of(snapshot, device, *process);
    sight.holdings.push_back({.party = party_of(facts, lease_of(device, *process, leased)),
                              .pod_name = pod_name_of(facts),
                              .bytes = claim.bytes,
                              .idle = rests && claim.bytes.value_or(0) >= kWorthHolding});
  }
  Shares shares = divide(claims);
  sight.shared_by = shares.by;
  for (std::size_t i = 0; i < shares.of.size(); ++i) sight.holdings[i].share = shares.of[i];
}

}  // namespace

Sight look(const Snapshot& snapshot, const DeviceSnapshot& device, std::span<const LeasedProcess> leased) {
  Sight sight;
  const Reading& reading = device.reading;
  if (reading.attention != Attention::awake) {
    sight.kind = Sight::Kind::asleep;
    return sight;
  }
  if (!device.available) return sight;
  sight.kind = Sight::Kind::watched;
  if (const auto percent = known(reading.utilization)) sight.busy = std::min(*percent, 100.0) / 100;
  sight.idle = sight.busy && *sight.busy * 100 < kIdleBelow;
  sight.watts = known(reading.power);
  sight.joules = known(reading.energy);
  if (const auto temperature = guarding_temperature(reading)) sight.celsius = temperature->value();
  sight.bytes = known(reading.memory_used);
  look_at_clocks(reading, sight);
  look_at_processes(snapshot, device, leased, sight);
  return sight;
}

}  // namespace gpukeeper::account
