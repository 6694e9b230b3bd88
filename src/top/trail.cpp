#include "top/trail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpukeeper::top {
namespace {

template <class Unit>
std::optional<double> number(const Metric<Unit>& value, double divisor = 1) {
  return value ? std::optional(static_cast<double>(value->value()) / divisor) : std::nullopt;
}

}  // namespace

void Trail::Ring::add(const std::optional<double>& value, std::uint64_t round) {
  const float kept = value ? static_cast<float>(*value) : std::numeric_limits<float>::quiet_NaN();
  if (values.size() < kLength) {
    values.push_back(kept);
  } else {
    values[next] = kept;
    next = (next + 1) % kLength;
  }
  seen = round;
}

Trail::Values Trail::Ring::last(std::size_t count) const {
  Values result;
  const std::size_t size = values.size();
  const std::size_t taken = std::min(count, size);
  result.reserve(taken);
  for (std::size_t i = size - taken; i < size; ++i) {
    const float value = values[(next + i) % size];
    result.push_back(std::isnan(value) ? std::nullopt : std::optional<double>(value));
  }
  return result;
}

void Trail::add(const Snapshot& snapshot) {
  ++round_;
  for (const DeviceSnapshot& device : snapshot.devices) {
    add_device(device);
    for (const DeviceSnapshot& partition : device.partitions) add_device(partition);
    for (const GpuProcess& process : *device.processes) {
      const auto key = std::pair(device.device->id, process.pid);
      auto found = processes_.find(key);
      if (found == processes_.end()) {
        if (processes_.size() >= kMostProcesses) continue;
        found = processes_.emplace(key, OfProcess()).first;
      }
      found->second.memory.add(number(process.memory, 1u << 30), round_);
      found->second.use.add(number(process.utilization), round_);
    }
  }
  std::erase_if(devices_, [&](const auto& entry) { return entry.second.curves[0].seen != round_; });
  std::erase_if(processes_, [&](const auto& entry) { return entry.second.memory.seen != round_; });
}

void Trail::add_device(const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  OfDevice& trail = devices_[device.device->id];
  const auto put = [&](Curve curve, const std::optional<double>& value) {
    trail.curves[static_cast<std::size_t>(curve)].add(value, round_);
  };
  put(Curve::utilization, number(r.utilization));
  put(Curve::memory, number(memory_percent(r)));
  put(Curve::power, number(r.power));
  put(Curve::temperature, number(guarding_temperature(r)));
}

void Trail::clear() {
  devices_.clear();
  processes_.clear();
}

Trail::Values Trail::of(const DeviceId& device, Curve curve, std::size_t count) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? Values() : found->second.curves[static_cast<std::size_t>(curve)].last(count);
}

Trail::Values Trail::memory_of(const DeviceId& device, std::int64_t pid, std::size_t count) const {
  const auto found = processes_.find({device, pid});
  return found == processes_.end() ? Values() : found->second.memory.last(count);
}

Trail::Values Trail::use_of(const DeviceId& device, std::int64_t pid, std::size_t count) const {
  const auto found = processes_.find({device, pid});
  return found == processes_.end() ? Values() : found->second.use.last(count);
}

}  // namespace gpukeeper::top
