#include "backend/nvml/event_queue.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::nvml {

DeviceEvent xid_event(const abi::EventData& data, const Device& device, WallTime seen) {
  DeviceEvent event;
  event.kind = EventKind::xid;
  event.at = seen;
  event.id = device.id;
  event.pci = device.pci;
  event.code = data.data;
  event.detail = fmt::format("XID {}", data.data);
  if (data.gpu_instance != abi::kNoInstance) event.detail += fmt::format(", GPU instance {}", data.gpu_instance);
  if (data.compute_instance != abi::kNoInstance) {
    event.detail += fmt::format(", compute instance {}", data.compute_instance);
  }
  event.source = "nvml";
  return event;
}

void EventQueue::add(DeviceEvent event) {
  std::scoped_lock lock(mutex_);
  if (events_.size() >= kMost) events_.pop_front();
  events_.push_back(std::move(event));
}

std::vector<DeviceEvent> EventQueue::take() {
  std::deque<DeviceEvent> taken;
  {
    std::scoped_lock lock(mutex_);
    taken.swap(events_);
  }
  return {std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end())};
}

}  // namespace gpukeeper::nvml
