#include "events/event_filter.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "format/columns.hpp"

namespace gpukeeper::events {

bool EventFilter::fits(EventType type, const std::vector<std::string>& about) const {
  if (!types.has(type)) return false;
  if (devices.empty() || type == EventType::snapshot) return true;
  return std::ranges::any_of(about, [&](const std::string& id) { return std::ranges::binary_search(devices, id); });
}

Result<std::vector<std::string>> parse_event_devices(const std::string& selectors, const Snapshot& snapshot) {
  std::vector<std::string> each;
  for (const std::string_view selector : split(selectors, ',')) each.emplace_back(selector);
  const auto selected = select_devices(snapshot, each);
  if (!selected) return tl::make_unexpected(selected.error());
  std::vector<std::string> ids;
  for (const DeviceSnapshot& device : selected->devices) ids.push_back(device.device->id.text);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace gpukeeper::events
