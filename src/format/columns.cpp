#include "format/columns.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "core/nearest.hpp"
#include "core/text.hpp"
#include "format/human.hpp"

namespace gpukeeper {
namespace {

using S = const Snapshot&;
using P = const Place&;

std::string yes_no(bool flag) {
  return flag ? "true" : "false";
}

constexpr IdentityRow kIdentity[] = {
    {"taken_at", "When the snapshot was taken (RFC 3339, UTC).", [](S s, P) { return rfc3339(s.taken_at); }},
    {"index", "Position in PCI order; 0:1 is partition 1 of device 0.", [](S, P p) { return index_text(p); }},
    {"uuid", "The device's stable name.", [](S, P p) { return p.device->device->id.text; }},
    {"vendor", "nvidia, amd, intel or other.", [](S, P p) { return std::string(to_string(p.device->device->vendor)); }},
    {"name", "The device's marketing name.", [](S, P p) { return p.device->device->name; }},
    {"partition", "Of a partition: its profile and place.",
     [](S, P p) { return p.device->device->partition.value_or(""); }},
    {"source", "The source that reads it.", [](S, P p) { return p.device->device->source; }},
    {"simulated", "Whether a scenario made it up.", [](S, P p) { return yes_no(p.device->device->simulated); }},
    {"recorded", "Whether it is read from another machine's files.",
     [](S, P p) { return yes_no(p.device->device->recorded); }},
    {"available", "Whether its values speak of now.", [](S, P p) { return yes_no(p.device->available); }},
    {"state", "optimal, normal, throttled, critical or unavailable.",
     [](S, P p) { return std::string(to_string(p.device->state)); }},
    {"governed_state", "The same, as the governor sees it: with hysteresis and dwell.",
     [](S, P p) { return std::string(to_string(p.device->throttling.state)); }},
    {"reason", "Why it is not available, or why its values are old.", [](S, P p) { return p.device->reason; }},
};

std::string choices(const Snapshot& snapshot) {
  if (snapshot.devices.empty()) return "no GPU was found";
  const auto last = snapshot.devices.size() - 1;
  std::string text = last == 0 ? "there is only GPU 0" : fmt::format("there are the GPUs 0 to {}", last);
  return text + "; gpukeeper devices lists their UUIDs and PCI addresses";
}

bool matches(const Place& place, const std::string& selector) {
  const Device& device = *place.device->device;
  if (selector == index_text(place) || to_lower(selector) == to_lower(device.id.text)) return true;
  if (place.parent != nullptr || !device.pci) return false;  // a partition's address is that of its device
  return PciAddress::parse(selector) == device.pci;
}

}  // namespace

std::string index_text(const Place& place) {
  const DeviceSnapshot& device = *place.device;
  return device.parent_index ? fmt::format("{}:{}", *device.parent_index, device.index)
                             : fmt::format("{}", device.index);
}

std::span<const IdentityRow> identity_table() {
  return kIdentity;
}

Result<ColumnKey> find_key(std::string_view name) {
  for (const IdentityRow& row : kIdentity) {
    if (row.name == name) return ColumnKey{&row, nullptr};
  }
  if (const MetricRow* row = find_metric(name)) return ColumnKey{nullptr, row};
  std::vector<std::string_view> names;
  for (const IdentityRow& row : kIdentity) names.push_back(row.name);
  for (const MetricRow& row : metric_table()) names.push_back(row.name);
  const auto meant = nearest(name, names);
  return fail(Errc::invalid_argument,
              meant.empty() ? fmt::format("there is no metric '{}': gpukeeper metrics lists them all", name)
                            : fmt::format("there is no metric '{}': did you mean {}?", name, meant));
}

std::vector<Place> places(const Snapshot& snapshot) {
  std::vector<Place> result;
  for (const DeviceSnapshot& device : snapshot.devices) {
    result.push_back({&device});
    for (const DeviceSnapshot& partition : device.partitions) result.push_back({&partition, &device});
  }
  return result;
}

Result<Snapshot> select_devices(const Snapshot& snapshot, std::span<const std::string> selectors) {
  if (selectors.empty()) return snapshot;
  const auto all = places(snapshot);
  std::vector<const DeviceSnapshot*> chosen;
  for (const std::string& selector : selectors) {
    const auto found = std::ranges::find_if(all, [&](const Place& place) { return matches(place, selector); });
    if (found == all.end()) {
      return fail(Errc::not_found, fmt::format("there is no GPU '{}': {}", selector, choices(snapshot)));
    }
    chosen.push_back(found->device);
  }
  Snapshot result = snapshot;
  result.devices.clear();
  for (const Place& place : all) {
    const auto is_chosen = [&](const DeviceSnapshot* device) {
      return std::ranges::find(chosen, device) != chosen.end();
    };
    if (!is_chosen(place.device)) continue;
    if (place.parent != nullptr && is_chosen(place.parent)) continue;  // it comes with its device
    result.devices.push_back(*place.device);
    if (place.parent == nullptr) continue;
    // Chosen without its device, which is where the processes of all its partitions are listed.
    std::vector<GpuProcess> processes;
    std::ranges::copy_if(*place.parent->processes, std::back_inserter(processes),
                         [&](const GpuProcess& process) { return process.partition == place.device->device->id; });
    result.devices.back().processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
    result.devices.back().processes_reason = place.parent->processes_reason;
  }
  return result;
}

}  // namespace gpukeeper
