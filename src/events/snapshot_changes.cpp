#include "events/snapshot_changes.hpp"

#include <algorithm>
#include <utility>

#include "core/rfc3339.hpp"
#include "format/alert_object.hpp"
#include "format/fault_object.hpp"
#include "format/json_text.hpp"
#include "format/throttling_json.hpp"

namespace gpukeeper::events {
namespace {

std::vector<std::string> ids_of(const DeviceSnapshot& device) {
  std::vector<std::string> ids = {device.device->id.text};
  if (device.device->parent) ids.push_back(device.device->parent->text);
  return ids;
}

// Of an alert or a fault: the device, and the one that a partition belongs to.
std::vector<std::string> ids_of(const DeviceId& id, const Snapshot& snapshot) {
  if (id.text.empty()) return {};
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const DeviceSnapshot& partition : device.partitions) {
      if (partition.device->id == id) return ids_of(partition);
    }
  }
  return {id.text};
}

Json label(const DeviceSnapshot& device) {
  return {{"uuid", device.device->id.text},
          {"index", device.index},
          {"parent_index", or_null(device.parent_index)},
          {"name", device.device->name},
          {"simulated", device.device->simulated},
          {"recorded", device.device->recorded}};
}

std::vector<ThrottleCause> causes_of(const Throttling& throttling) {
  std::vector<ThrottleCause> causes;
  for (const ThrottleRequest& request : throttling.requests) causes.push_back(request.cause);
  std::sort(causes.begin(), causes.end());
  return causes;
}

}  // namespace

std::vector<Happening> SnapshotChanges::look(const Snapshot& snapshot, const std::shared_ptr<const FaultList>& faults) {
  look_at_devices(snapshot, snapshot.devices);
  look_at_alerts(snapshot);
  look_at_faults(faults, snapshot);
  if (std::exchange(first_, false)) found_.clear();
  return std::exchange(found_, {});
}

void SnapshotChanges::tell(EventType type, WallTime at, std::vector<std::string> devices, std::string payload) {
  found_.push_back({.type = type, .at = at, .devices = std::move(devices), .payload = std::move(payload)});
}

void SnapshotChanges::look_at_devices(const Snapshot& snapshot, const std::vector<DeviceSnapshot>& devices) {
  for (const DeviceSnapshot& device : devices) {
    look_at(snapshot, device);
    look_at_devices(snapshot, device.partitions);
  }
}

void SnapshotChanges::look_at(const Snapshot& snapshot, const DeviceSnapshot& device) {
  const Throttling& now = device.throttling;
  Known known{now.state, device.available, now.speed_multiplier, causes_of(now)};
  const auto [place, is_new] = devices_.try_emplace(device.device->id, known);
  const Known before = std::exchange(place->second, std::move(known));
  if (is_new || before.state != now.state || before.available != device.available) {
    Json payload = label(device);
    payload["state"] = to_string(now.state);
    payload["before"] = is_new ? Json() : Json(to_string(before.state));
    payload["available"] = device.available;
    payload["reason"] = text_or_null(device.reason);
    tell(EventType::state, snapshot.taken_at, ids_of(device), dump(payload, false));
  }
  if (!is_new && (before.speed != now.speed_multiplier || before.causes != place->second.causes)) {
    Json payload = label(device);
    payload["before"] = before.speed;
    payload["throttling"] = throttling_json(snapshot, now);
    tell(EventType::throttle, snapshot.taken_at, ids_of(device), dump(payload, false));
  }
}

void SnapshotChanges::look_at_alerts(const Snapshot& snapshot) {
  for (const Alert& alert : *snapshot.alerts) look_at(alert, snapshot);
  // One that fired and is gone was over in between.
  std::erase_if(alerts_, [&](const auto& known) {
    if (std::ranges::find(*snapshot.alerts, known.first, &Alert::id) != snapshot.alerts->end()) return false;
    Alert alert = known.second;
    alert.phase = AlertPhase::resolved;
    alert.resolved_at = snapshot.taken_at;
    tell(EventType::alert_resolved, snapshot.taken_at, ids_of(alert.device.value_or(DeviceId{}), snapshot),
         dump(alert_object(alert), false));
    return true;
  });
}

void SnapshotChanges::look_at(const Alert& alert, const Snapshot& snapshot) {
  const auto say = [&](EventType type) {
    tell(type, snapshot.taken_at, ids_of(alert.device.value_or(DeviceId{}), snapshot),
         dump(alert_object(alert), false));
  };
  const auto known = alerts_.find(alert.id);
  if (known == alerts_.end()) {
    if (alert.phase != AlertPhase::firing) return;
    say(EventType::alert_fired);
    if (!alert.acknowledged_by.empty()) say(EventType::alert_acknowledged);
    alerts_.emplace(alert.id, alert);
    return;
  }
  if (alert.phase != AlertPhase::firing) {
    say(EventType::alert_resolved);
    alerts_.erase(known);
    return;
  }
  const bool was = !known->second.acknowledged_by.empty();
  const bool is = !alert.acknowledged_by.empty();
  if (was != is) say(is ? EventType::alert_acknowledged : EventType::alert_unacknowledged);
  known->second = alert;
}

void SnapshotChanges::look_at_faults(const std::shared_ptr<const FaultList>& faults, const Snapshot& snapshot) {
  if (std::exchange(faults_, faults) == faults) return;
  std::map<std::uint64_t, std::uint64_t> counts;
  for (const auto& record : faults->records) {
    counts[record->id] = record->count;
    const auto known = counts_.find(record->id);
    if (known != counts_.end() && known->second == record->count) continue;
    tell(EventType::fault, record->last, ids_of(record->device, snapshot),
         dump(fault_object(*record, snapshot), false));
  }
  counts_ = std::move(counts);
}

}  // namespace gpukeeper::events
