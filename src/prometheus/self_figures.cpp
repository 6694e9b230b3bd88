#include "prometheus/self_figures.hpp"

#include <algorithm>

namespace gpukeeper::prometheus {

void SelfBook::ticked(const Snapshot& snapshot, std::chrono::nanoseconds took,
                      std::optional<std::chrono::nanoseconds> late) {
  std::scoped_lock lock(mutex_);
  figures_.tick.observe(took);
  if (late) figures_.lag.observe(*late);
  note_losses(snapshot);
}

// What is there is counted when it goes, so that one that is gone for a day counts once. Who sleeps is not lost.
void SelfBook::note_losses(const Snapshot& snapshot) {
  std::set<std::string> sources;
  for (const SourceStatus& source : snapshot.sources) {
    figures_.lost_sources.try_emplace(source.name);
    if (source.available) {
      sources.insert(source.name);
    } else if (sources_.contains(source.name)) {
      ++figures_.lost_sources[source.name];
    }
  }
  sources_ = std::move(sources);
  std::set<DeviceId> devices;
  for (const DeviceSnapshot& device : snapshot.devices) {
    auto& lost = figures_.lost_devices.try_emplace(device.device->source).first->second;
    if (device.available || device.reading.attention == Attention::asleep) {
      devices.insert(device.device->id);
    } else if (devices_.contains(device.device->id)) {
      ++lost;
    }
  }
  devices_ = std::move(devices);
}

void SelfBook::answered(unsigned status, std::chrono::nanoseconds took) {
  std::scoped_lock lock(mutex_);
  ++figures_.answers[status];
  figures_.answering += took;
}

SelfFigures SelfBook::read() const {
  std::scoped_lock lock(mutex_);
  return figures_;
}

}  // namespace gpukeeper::prometheus
