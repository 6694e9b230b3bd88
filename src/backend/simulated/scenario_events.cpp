#include "backend/simulated/scenario_events.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace gpukeeper::simulated {
namespace {

constexpr std::uint64_t kMostEventsOfAFault = 100;

std::optional<EventKind> event_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::xid: return EventKind::xid;
    case FaultKind::gpu_reset: return EventKind::gpu_reset;
    case FaultKind::engine_reset: return EventKind::engine_reset;
    case FaultKind::wedged: return EventKind::wedged;
    case FaultKind::pcie_error: return EventKind::pcie_error;
    case FaultKind::driver_reload: return EventKind::driver_reload;
    default: return std::nullopt;
  }
}

// What the driver says where the scenario does not.
std::string sentence_of(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::xid: return fmt::format("XID {}", fault.xid);
    case FaultKind::gpu_reset: return "the GPU was reset";
    case FaultKind::engine_reset: return "an engine made no progress and was reset";
    case FaultKind::wedged: return "the device is wedged and needs recovery";
    case FaultKind::pcie_error: return fmt::format("{} errors", word_of(fault.severity));
    default: return "the driver was loaded";
  }
}

// When the fault's event is reported: a driver that is being reloaded says so when it is back.
Window reported(const Fault& fault) {
  Window window{fault.window.start, std::nullopt, fault.window.repeat};
  if (fault.kind == FaultKind::driver_reload) window.start += fault.window.duration.value_or(0);
  return window;
}

void blame(DeviceEvent& event, const Fault& fault, const DeviceSpec& physical, double at) {
  event.process = fault.process;
  for (const ProcessSpec& process : physical.processes) {
    if (fault.process.empty() || process.name != fault.process || !process.window.holds(at)) continue;
    event.pid = process.pid;
    return;
  }
}

class Collector {
 public:
  Collector(double after, double until, WallTime begin) : after_(after), until_(until), begin_(begin) {}

  void add(const Fault& fault, const DeviceSpec* physical) {
    const auto kind = event_of(fault.kind);
    if (!kind) return;
    const Window window = reported(fault);
    const std::uint64_t from = window.starts(after_);
    const std::uint64_t to = window.starts(until_);
    const bool many = to - from > kMostEventsOfAFault;
    for (std::uint64_t i = many ? to - 1 : from; i < to; ++i) {
      const double at = window.start + static_cast<double>(i) * window.repeat.value_or(0);
      DeviceEvent& event = events_.emplace_back();
      event.kind = *kind;
      event.at = begin_ + std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(at));
      event.code = fault.xid;
      event.count = (many ? to - from : 1) * fault.count;
      event.detail = fault.message.empty() ? sentence_of(fault) : fault.message;
      event.source = "simulated";
      if (!physical) continue;
      event.id = physical->device.id;
      event.pci = physical->device.pci;
      blame(event, fault, *physical, at);
    }
  }

  std::vector<DeviceEvent> take() {
    std::ranges::stable_sort(events_, {}, &DeviceEvent::at);
    return std::move(events_);
  }

 private:
  const double after_;
  const double until_;
  const WallTime begin_;
  std::vector<DeviceEvent> events_;
};

}  // namespace

std::vector<DeviceEvent> events_between(const Scenario& scenario, double after, double until, WallTime begin) {
  Collector collector(after, until, begin);
  for (const Fault& fault : scenario.faults) {
    if (fault.kind == FaultKind::driver_reload) {
      collector.add(fault, nullptr);
      continue;
    }
    for (const DeviceSpec& device : scenario.devices) collector.add(fault, &device);
  }
  for (const DeviceSpec& device : scenario.devices) {
    for (const Fault& fault : device.faults) collector.add(fault, &device);
  }
  return collector.take();
}

}  // namespace gpukeeper::simulated
