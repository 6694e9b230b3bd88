#include "policy/governor.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {

Governor::Governor(GovernorSettings settings, IsOurs is_ours)
    : settings_(std::move(settings)), is_ours_(std::move(is_ours)) {}

void Governor::govern(Snapshot& snapshot) {
  ++ticks_;
  end_requests(snapshot.monotonic);
  const GovernorTick tick{.settings = settings_,
                          .settings_version = settings_version_,
                          .is_ours = is_ours_,
                          .requests = requests_,
                          .requests_version = requests_version_,
                          .who = *snapshot.who,
                          .sample = sample_is_due(snapshot.monotonic),
                          .now = snapshot.monotonic,
                          .wall = snapshot.taken_at,
                          .sequence = snapshot.sequence};
  for (DeviceSnapshot& device : snapshot.devices) {
    Entry& entry = devices_[device.device->id];
    entry.seen = ticks_;
    entry.governor.govern(device, tick, events_);
  }
  if (devices_.size() > snapshot.devices.size()) forget_unseen(ticks_);
}

std::vector<GovernorEvent> Governor::take_events() {
  return std::exchange(events_, {});
}

void Governor::configure(GovernorSettings settings) {
  if (settings == settings_) return;
  next_sample_.reset();  // what was changed is to be seen at the next tick, and not after an interval
  settings_ = std::move(settings);
  ++settings_version_;
}

Result<void> Governor::request(OperatorRequest request) {
  if (request.multiplier != 0.8 && request.multiplier != 0.5 && request.multiplier != 0) {
    return fail(Errc::invalid_argument,
                fmt::format("the speed multiplier must be 0.8, 0.5 or 0, not {}; 1 is no request", request.multiplier));
  }
  clear(request.device);
  requests_.push_back(std::move(request));
  ++requests_version_;
  return {};
}

bool Governor::clear(const std::optional<DeviceId>& device) {
  const auto gone = std::erase_if(requests_, [&](const OperatorRequest& r) { return r.device == device; });
  if (gone > 0) ++requests_version_;
  return gone > 0;
}

void Governor::clear_all() {
  requests_.clear();
  ++requests_version_;
}

void Governor::end_requests(MonotonicTime now) {
  const auto gone = std::erase_if(requests_, [&](const OperatorRequest& r) { return r.until && now >= *r.until; });
  if (gone > 0) ++requests_version_;
}

// Ticks come a little early or late: a sample is not put off for a whole tick because of that.
bool Governor::sample_is_due(MonotonicTime now) {
  const auto interval = settings_.monitor_interval;
  if (next_sample_ && now < *next_sample_ - interval / 20) return false;
  next_sample_ = next_sample_ && now < *next_sample_ + interval ? *next_sample_ + interval : now + interval;
  return true;
}

void Governor::forget_unseen(std::uint64_t tick) {
  std::erase_if(devices_, [&](const auto& item) { return item.second.seen != tick; });
}

}  // namespace gpukeeper
