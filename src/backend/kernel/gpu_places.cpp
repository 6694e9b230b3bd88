#include "backend/kernel/gpu_places.hpp"

#include <algorithm>
#include <chrono>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr auto kPeriod = std::chrono::seconds(10);

// The bridges in "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0", without the function itself.
std::vector<PciAddress> ports_above(const Files& files, const PciGpu& gpu) {
  std::vector<PciAddress> ports;
  const auto link = files.read_link(gpu.folder);
  if (!link) return ports;
  for (const auto name : split(*link, '/')) {
    const auto address = PciAddress::parse(name);
    if (address && *address != gpu.address) ports.push_back(*address);
  }
  return ports;
}

}  // namespace

const std::vector<GpuPlaces::Place>& GpuPlaces::all() {
  const auto now = clock_.now();
  if (!looked_ || now - *looked_ >= kPeriod) {
    looked_ = now;
    look();
  }
  return places_;
}

void GpuPlaces::look() {
  for (PciGpu& gpu : bus_.gpus()) {
    const auto known = std::ranges::find(places_, gpu.address, [](const Place& place) { return place.gpu.address; });
    if (known == places_.end()) {
      auto ports = ports_above(files_, gpu);
      places_.push_back({std::move(gpu), std::move(ports)});
    } else {
      known->gpu = std::move(gpu);
    }
  }
  std::ranges::sort(places_, {}, [](const Place& place) { return place.gpu.address; });
}

std::optional<PciAddress> GpuPlaces::gpu_of(const PciAddress& function) {
  PciAddress slot = function;
  slot.function = 0;
  std::optional<PciAddress> below;
  for (const Place& place : all()) {
    PciAddress gpu_slot = place.gpu.address;
    gpu_slot.function = 0;
    if (gpu_slot == slot) return place.gpu.address;
    if (std::ranges::find(place.ports, function) == place.ports.end()) continue;
    below = below ? function : place.gpu.address;
  }
  return below;
}

std::optional<PciAddress> GpuPlaces::only_one_of(std::string_view driver) {
  std::optional<PciAddress> found;
  for (const Place& place : all()) {
    if (place.gpu.driver != driver) continue;
    if (found) return std::nullopt;
    found = place.gpu.address;
  }
  return found;
}

}  // namespace gpukeeper
