#include "kubernetes/pod_names.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "telemetry/who.hpp"

namespace gpukeeper::kubernetes {
namespace {

std::optional<Vendor> vendor_of(std::string_view resource) {
  if (resource.starts_with("nvidia.com/")) return Vendor::nvidia;
  if (resource.starts_with("amd.com/")) return Vendor::amd;
  if (resource.starts_with("gpu.intel.com/")) return Vendor::intel;
  return std::nullopt;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// The number in "nvidia3", "nvidia3/vgpu0", "card3-0".
std::optional<std::uint32_t> number_of_node(std::string_view id, std::string_view begin, std::string_view end) {
  if (!id.starts_with(begin)) return std::nullopt;
  id.remove_prefix(begin.size());
  return number(id.substr(0, id.find(end)));
}

// The devices of this machine of one vendor, to be found by the ids of its plugins.
class Shelf {
 public:
  Shelf(const std::vector<DeviceSnapshot>& devices, Vendor vendor) {
    for (const DeviceSnapshot& device : devices) {
      if (device.device->vendor == vendor && !device.device->recorded) devices_.push_back(&device);
    }
  }

  const DeviceId* find(std::string_view id) const {
    id = id.substr(0, id.find("::"));
    for (const DeviceSnapshot* device : devices_) {
      if (device->device->id.text == id) return &device->device->id;
      for (const DeviceSnapshot& partition : device->partitions) {
        if (partition.device->id.text == id) return &partition.device->id;
      }
    }
    if (const auto index = number(id)) return nth(*index);
    const auto node = id.find("/gi") == id.npos ? number_of_node(id, "nvidia", "/vgpu") : std::nullopt;
    if (node) return with_number(*node, Vendor::nvidia);
    if (const auto card = number_of_node(id, "card", "-")) return with_number(*card, Vendor::intel);
    return at(PciAddress::parse(id));
  }

 private:
  // NVIDIA's own order is that of the PCI bus, as ours.
  const DeviceId* nth(std::size_t index) const {
    if (index >= devices_.size() || devices_[index]->device->vendor != Vendor::nvidia) return nullptr;
    return &devices_[index]->device->id;
  }
  const DeviceId* with_number(std::uint32_t number, Vendor vendor) const {
    for (const DeviceSnapshot* device : devices_) {
      if (device->device->vendor == vendor && device->device->minor_number == number) return &device->device->id;
    }
    return nullptr;
  }
  const DeviceId* at(const std::optional<PciAddress>& address) const {
    for (const DeviceSnapshot* device : devices_) {
      if (address && device->device->pci == address) return &device->device->id;
    }
    return nullptr;
  }

  std::vector<const DeviceSnapshot*> devices_;
};

// What a process may have been given: its partition, or all of its GPU; where it is not known in which partition it is,
// any of them.
std::set<DeviceId> places_of(const DeviceSnapshot& device, const GpuProcess& process) {
  std::set<DeviceId> places = {device.device->id};
  if (process.partition) {
    places.insert(*process.partition);
  } else {
    for (const DeviceSnapshot& partition : device.partitions) places.insert(partition.device->id);
  }
  return places;
}

// Those who were given at least one of each set of devices.
template <class Owner, class OwnerOf>
std::set<Owner> candidates(const Claims& claims, const std::set<std::set<DeviceId>>& seen, OwnerOf owner_of) {
  std::optional<std::set<Owner>> result;
  for (const std::set<DeviceId>& places : seen) {
    std::set<Owner> here;
    for (const DeviceId& place : places) {
      const auto claim = claims.find(place);
      if (claim == claims.end()) continue;
      for (const PodNames& names : claim->second) {
        if (const std::optional<Owner> owner = owner_of(names)) here.insert(*owner);
      }
    }
    if (!result) {
      result = std::move(here);
    } else {
      std::erase_if(*result, [&](const Owner& owner) { return !here.contains(owner); });
    }
  }
  return result.value_or(std::set<Owner>());
}

// Each key that can be but one, which no other key can be, too.
template <class Key, class Owner>
std::map<Key, Owner> told_apart(const std::map<Key, std::set<Owner>>& candidates) {
  std::map<Owner, std::size_t> wanted;
  for (const auto& [key, owners] : candidates) {
    if (owners.size() == 1) ++wanted[*owners.begin()];
  }
  std::map<Key, Owner> result;
  for (const auto& [key, owners] : candidates) {
    if (owners.size() == 1 && wanted[*owners.begin()] == 1) result.emplace(key, *owners.begin());
  }
  return result;
}

using PodName = std::pair<std::string, std::string>;  // namespace, name

PodName pod_name(const PodNames& names) {
  return {names.name_space, names.pod};
}

std::map<std::string, PodName> pods_by_uid(const Claims& claims, const Sightings& sightings) {
  std::map<std::string, std::set<std::set<DeviceId>>> seen;
  for (const auto& [key, places] : sightings) seen[key.first].insert(places.begin(), places.end());
  std::map<std::string, std::set<PodName>> owners;
  for (const auto& [uid, places] : seen) {
    owners[uid] =
        candidates<PodName>(claims, places, [](const PodNames& names) { return std::optional(pod_name(names)); });
  }
  return told_apart(owners);
}

}  // namespace

Claims claims_of(const std::vector<Pod>& pods, const std::vector<DeviceSnapshot>& devices) {
  const std::map<Vendor, Shelf> shelves = {{Vendor::nvidia, Shelf(devices, Vendor::nvidia)},
                                           {Vendor::amd, Shelf(devices, Vendor::amd)},
                                           {Vendor::intel, Shelf(devices, Vendor::intel)}};
  Claims claims;
  for (const Pod& pod : pods) {
    for (const PodContainer& container : pod.containers) {
      for (const GivenDevices& given : container.devices) {
        const auto vendor = vendor_of(given.resource);
        if (!vendor) continue;
        for (const std::string& id : given.ids) {
          const DeviceId* const device = shelves.at(*vendor).find(id);
          if (device) claims[*device].insert({pod.name_space, pod.name, container.name});
        }
      }
    }
  }
  return claims;
}

Sightings sightings_of(const Snapshot& snapshot) {
  Sightings sightings;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (device.device->recorded) continue;
    for (const GpuProcess& process : *device.processes) {
      const ProcessFacts* const facts = facts_of(snapshot, device, process);
      if (!facts || !facts->place || !facts->place->pod_uid || facts->place->pod) continue;
      const auto& container = facts->place->container;
      sightings[{*facts->place->pod_uid, container ? container->id : ""}].insert(places_of(device, process));
    }
  }
  return sightings;
}

std::map<ContainerKey, PodNames> names_of(const Claims& claims, const Sightings& sightings) {
  const auto pods = pods_by_uid(claims, sightings);
  // Containers are told apart within their pod, of which each stands for one uid only.
  std::map<ContainerKey, std::set<PodNames>> containers;
  for (const auto& [key, places] : sightings) {
    const auto pod = pods.find(key.first);
    if (pod == pods.end()) continue;
    const PodName& own = pod->second;
    containers[key] = candidates<PodNames>(claims, places, [&own](const PodNames& names) {
      return pod_name(names) == own ? std::optional(names) : std::nullopt;
    });
  }
  const auto told = told_apart(containers);
  std::map<ContainerKey, PodNames> result;
  for (const auto& [key, owners] : containers) {
    const auto found = told.find(key);
    const PodName& pod = pods.at(key.first);
    result[key] = found != told.end() ? found->second : PodNames{pod.first, pod.second, {}};
  }
  return result;
}

}  // namespace gpukeeper::kubernetes
