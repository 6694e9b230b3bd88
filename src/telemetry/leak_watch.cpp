#include "telemetry/leak_watch.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "telemetry/who.hpp"

namespace gpukeeper {
namespace {

using Hours = std::chrono::duration<double, std::ratio<3600>>;

constexpr std::size_t kParts = 6;
constexpr Hours kFarAway = std::chrono::years(1);  // whoever grows that slowly will be restarted before

}  // namespace

void LeakWatch::look(const Snapshot& snapshot) {
  if (looked_at_ && snapshot.monotonic - *looked_at_ < rules_.spacing) return;
  looked_at_ = snapshot.monotonic;
  ++looks_;
  const auto before = std::exchange(suspects_, {});
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (!device.available || !device.processes_reason.empty()) {
      keep(device.device->id, before);
      continue;
    }
    for (const GpuProcess& process : *device.processes) note(snapshot, device, process);
  }
  std::erase_if(watched_, [&](const auto& each) { return each.second.seen != looks_; });
}

// Its processes are not known now; they are not forgotten for that.
void LeakWatch::keep(const DeviceId& device, const std::vector<LeakSuspect>& suspects) {
  for (auto& [key, watched] : watched_) {
    if (key.device == device) watched.seen = looks_;
  }
  std::ranges::copy_if(suspects, std::back_inserter(suspects_),
                       [&](const LeakSuspect& suspect) { return suspect.device == device; });
}

void LeakWatch::note(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process) {
  const Key key{device.device->id, process.pid};
  if (watched_.size() >= kMostProcesses && !watched_.contains(key)) return;
  Watched& watched = watched_[key];
  watched.seen = looks_;
  if (const ProcessFacts* facts = facts_of(snapshot, device, process); facts && facts->start_ticks) {
    if (watched.start_ticks && *watched.start_ticks != *facts->start_ticks) watched.points.clear();  // another process
    watched.start_ticks = *facts->start_ticks;
  }
  auto& points = watched.points;
  if (process.memory) points.push_back({snapshot.monotonic, process.memory->value()});
  // One point at or before the window's begin stays, so that the window is known to be full.
  while (points.size() > 1 && snapshot.monotonic - points[1].at >= rules_.window) points.pop_front();
  judge(snapshot.monotonic, device, process, watched);
}

void LeakWatch::judge(MonotonicTime now, const DeviceSnapshot& device, const GpuProcess& process,
                      const Watched& watched) {
  const auto& points = watched.points;
  if (points.size() < 2 * kParts || now - points.front().at < rules_.window) return;

  std::array<std::optional<std::uint64_t>, kParts> least{};
  const auto length = points.back().at - points.front().at;
  for (const Point& point : points) {
    const auto part = static_cast<std::size_t>((point.at - points.front().at) * kParts / (length + length / 1000));
    auto& lowest = least.at(std::min(part, kParts - 1));
    lowest = std::min(lowest.value_or(point.bytes), point.bytes);
  }
  if (!std::ranges::all_of(least, [](const auto& part) { return part.has_value(); })) return;  // it was not seen then
  if (*least.back() < *least.front() || *least.back() - *least.front() < rules_.at_least.value()) return;
  const std::uint64_t grown = *least.back() - *least.front();
  for (std::size_t part = 1; part < kParts; ++part) {
    const std::uint64_t before = *least.at(part - 1), after = *least.at(part);
    if (after <= before || after - before > grown / 2) return;
  }

  // From the middle of the first part to that of the last.
  const Hours time(length * (kParts - 1) / kParts);
  LeakSuspect suspect{.device = device.device->id,
                      .device_index = device.parent_index.value_or(device.index),
                      .pid = process.pid,
                      .name = process.name,
                      .now = Bytes(points.back().bytes),
                      .grown = Bytes(grown),
                      .bytes_per_hour = static_cast<double>(grown) / time.count(),
                      .full_in = {}};
  const Reading& r = device.reading;
  if (r.memory_used && r.memory_total) {
    const double left = static_cast<double>(remaining(*r.memory_total, *r.memory_used).value());
    const Hours full_in(left / suspect.bytes_per_hour);
    if (full_in < kFarAway) suspect.full_in = std::chrono::duration_cast<std::chrono::nanoseconds>(full_in);
  }
  suspects_.push_back(std::move(suspect));
}

}  // namespace gpukeeper
