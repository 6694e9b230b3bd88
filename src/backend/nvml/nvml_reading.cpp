#include "backend/nvml/nvml_backend_class.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "backend/nvml/codes.hpp"

/// Readings and processes: any thread, no lock held over a call.
namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr int kReadsUntilIdle = 5;  // when nobody asks for processes

}  // namespace

Error broken_error(Code code, const std::string& label) {
  return ends_session(code) ? driver_error(code, {}) : device_error(code, label);
}

std::string label_of(const std::optional<PciAddress>& pci, const DeviceId& id) {
  return pci ? "GPU " + pci->to_string() : id.text;
}

Error NvmlBackend::trouble(Session& session, Code code, std::string_view function, std::string_view what,
                           const Entry& entry) {
  if (ends_session(code)) {
    session.broken = code;
    return driver_error(code, {});
  }
  if (loses_device(code)) return device_error(code, entry.label);
  const Errc errc = never_there(code)       ? Errc::not_supported
                    : code == kNoPermission ? Errc::not_permitted
                                            : Errc::internal;
  return {errc, fmt::format("{} {}: {}: {} (code {})", what, entry.label, function, nvml::describe(code), code)};
}

Result<Reading> NvmlBackend::read(const DeviceId& id) {
  const Grip now = grip();
  const auto found = now.catalog->find(id.text);
  if (found == now.catalog->end()) {
    return fail(Errc::not_found, fmt::format("no NVIDIA GPU is called {} (any more)", id.text));
  }
  const Entry& entry = found->second;
  if (entry.managed) {
    const Attention attention = gate_.look(entry.folder);
    if (attention != Attention::awake) {
      Reading reading{attention == Attention::asleep ? Missing::asleep : Missing::not_yet_read};
      reading.attention = attention;
      reading.runtime_power_state = gate_.runtime_state(entry.folder);
      return reading;
    }
  }
  if (entry.error) return tl::make_unexpected(*entry.error);
  if (!now.session) {
    if (now.closed == Closed::resting) {
      Reading reading{Missing::not_yet_read};
      reading.attention = Attention::resting;
      reading.runtime_power_state = gate_.runtime_state(entry.folder);
      return reading;
    }
    // The library starts anew because a GPU came or went; that takes less than a tick, and the others did not change.
    if (now.closed == Closed::reopening && entry.unit && !entry.partition && entry.unit->reads > 0) {
      return entry.unit->reader.reading();
    }
    return fail(
        Errc::unavailable,
        fmt::format("{} is not read: the NVIDIA driver is not open; it is opened again by itself", entry.label));
  }
  if (const Code broken = now.session->broken; broken != kSuccess) {
    return tl::make_unexpected(broken_error(broken, entry.label));
  }
  if (!entry.unit) {
    return fail(Errc::unavailable, fmt::format("{} is not read: the driver was opened just now", entry.label));
  }
  if (entry.partition) return read_partition(entry, *now.session);
  auto reading = read_device(now, entry, *now.session);
  if (reading && entry.managed) note_use(now.catalog, now.session, entry, *reading);
  return reading;
}

Result<Reading> NvmlBackend::read_device(const Grip&, const Entry& entry, Session& session) {
  Unit& unit = *entry.unit;
  const auto now = clock_.now();
  // A lost device is left alone: every call to it may take seconds and slow the others down.
  if (unit.lost != kSuccess && now < unit.lost_until) return tl::make_unexpected(device_error(unit.lost, entry.label));
  unit.inside = true;
  const auto outcome = unit.reader.read(session, now);
  unit.inside = false;
  if (outcome.code == kSuccess) {
    unit.lost = kSuccess;
    unit.lost_pause = kLostRetry;
    ++unit.reads;
    Reading reading = unit.reader.reading();
    reading.runtime_power_state = entry.managed ? gate_.runtime_state(entry.folder) : entry.runtime_state;
    return reading;
  }
  if (ends_session(outcome.code))
    return tl::make_unexpected(trouble(session, outcome.code, outcome.function, "read", entry));
  if (outcome.definite) {
    if (unit.lost != kSuccess) unit.lost_pause = std::min<std::chrono::seconds>(2 * unit.lost_pause, kLongestLostRetry);
    unit.lost = outcome.code;
    unit.lost_until = now + unit.lost_pause;
    return tl::make_unexpected(device_error(outcome.code, entry.label));
  }
  if (outcome.code == kInvalidArgument) {
    // No call at all accepts the handle: it is of a driver that has been replaced.
    session.broken = kUninitialized;
    return tl::make_unexpected(driver_error(kUninitialized, {}));
  }
  return tl::make_unexpected(trouble(session, outcome.code, outcome.function, "read", entry));
}

Result<Reading> NvmlBackend::read_partition(const Entry& entry, Session& session) {
  Partition& partition = *entry.partition;
  const auto now = clock_.now();
  // Seven instances would take seven calls; a few of them are read every time, many every third second.
  const auto period = entry.places->size() <= 2 ? 0ms : 2900ms;
  if (partition.read_at && now - *partition.read_at < period) return partition.reading;
  int calls = 0;
  const Code code = nvml::read_memory(session, partition.place.handle, partition.memory2, partition.reading, calls);
  entry.unit->reader.budget().spend(calls);
  if (code == kInvalidArgument || code == kNotFound || code == kGpuNotFound) {
    entry.unit->recheck = true;
    return fail(
        Errc::unavailable,
        fmt::format("{} is gone: the MIG instances of its GPU were changed; they are listed anew", entry.label));
  }
  if (is_trouble(code)) {
    return tl::make_unexpected(trouble(session, code, "nvmlDeviceGetMemoryInfo", "read memory of", entry));
  }
  partition.read_at = now;
  partition.reading.runtime_power_state = entry.runtime_state;
  return partition.reading;
}

// Tells the gate whether the device works, and closes the driver once no device needs it.
void NvmlBackend::note_use(const std::shared_ptr<const Catalog>& catalog, const std::shared_ptr<Session>& session,
                           const Entry& entry, const Reading& reading) {
  // A computing process holds the GPU awake anyway. A display server alone does not: it lets an idle GPU sleep.
  const int held = entry.unit->held;
  if (held < 0 && entry.unit->reads < kReadsUntilIdle) return;  // not known yet: no haste
  const bool busy = held > 0 || (reading.utilization && reading.utilization->value() > 0);
  gate_.note(entry.folder, busy);
  if (busy) return;
  for (const auto& [id, other] : *catalog) {
    if (other.partition || !other.unit) continue;
    if (!other.managed || gate_.look(other.folder) == Attention::awake) return;
  }
  let_go(session, Closed::resting);
}

Result<std::vector<GpuProcess>> NvmlBackend::processes(const DeviceId& id) {
  const Grip now = grip();
  const auto found = now.catalog->find(id.text);
  if (found == now.catalog->end()) {
    return fail(Errc::not_found, fmt::format("no NVIDIA GPU is called {} (any more)", id.text));
  }
  const Entry& entry = found->second;
  if (entry.partition) {
    return fail(Errc::not_supported, fmt::format("the processes of {} are listed with those of its GPU", entry.label));
  }
  if (entry.managed) {
    const Attention attention = gate_.look(entry.folder);
    if (attention == Attention::asleep) return fail(Errc::unavailable, fmt::format("{} is asleep", entry.label));
    if (attention == Attention::resting) {
      return fail(Errc::unavailable, fmt::format("{} is idle and left alone so that it can fall asleep", entry.label));
    }
  }
  if (entry.error) return tl::make_unexpected(*entry.error);
  if (!now.session || !entry.unit) {
    return fail(Errc::unavailable,
                fmt::format("the processes of {} are not read: the NVIDIA driver is not open", entry.label));
  }
  if (const Code broken = now.session->broken; broken != kSuccess) {
    return tl::make_unexpected(broken_error(broken, entry.label));
  }
  Unit& unit = *entry.unit;
  std::unique_lock guard(unit.processes_mutex, std::try_to_lock);
  if (!guard) {
    return fail(Errc::unavailable,
                fmt::format("an earlier question for the processes of {} is still inside the driver", entry.label));
  }
  std::vector<GpuProcess> result;
  const auto outcome = unit.processes.read(*now.session, unit.reader.handle(), *entry.places, unit.reader.budget(),
                                           clock_.now(), result);
  if (outcome.code != kSuccess) {
    return tl::make_unexpected(trouble(*now.session, outcome.code, outcome.function, "list processes of", entry));
  }
  unit.held =
      std::any_of(result.begin(), result.end(), [](const GpuProcess& p) { return p.type.compute || p.type.mps; });
  return result;
}

}  // namespace gpukeeper::nvml
