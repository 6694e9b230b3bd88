#include "backend/nvml/nvml_backend_class.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "backend/nvml/codes.hpp"

/// What callers see: the devices of the session, or what is known of them without one.
namespace gpukeeper::nvml {

using namespace abi;

// Who a function is, from the last session that knew it or from the kernel's files.
Device NvmlBackend::known_device(const PciFunction& function) {
  const auto known = known_.find(function.address);
  if (known != known_.end() && !known->second.id.text.starts_with("PCI-")) {
    if (const auto version = pci_.module_version(); !version.empty()) known->second.driver_version = version;
    return known->second;
  }
  return known_[function.address] = pci_.describe(function);
}

// Makes the devices of the session, or those that are known without one, what calls find from now on.
std::vector<Device> NvmlBackend::publish(const std::vector<Place>& places, const std::shared_ptr<Session>& session) {
  const bool open = session != nullptr;
  auto catalog = std::make_shared<Catalog>();
  std::vector<Device> devices;
  const auto asleep = std::find_if(places.begin(), places.end(),
                                   [](const Place& place) { return place.attention == Attention::asleep; });

  const auto add_unit = [&](const std::shared_ptr<Unit>& unit, const Place* place) {
    Entry entry;
    entry.label = label_of(unit->device.pci, unit->device.id);
    entry.unit = unit;
    if (place) {
      entry.folder = place->function.folder;
      entry.managed = place->function.managed && !wake_;
      if (!entry.managed) entry.runtime_state = gate_.runtime_state(entry.folder);
    }
    auto parts = std::make_shared<std::vector<ProcessPartition>>();
    for (const auto& partition : unit->partitions) parts->push_back(partition->place);
    entry.places = parts;
    if (unit->device.pci) known_[*unit->device.pci] = unit->device;
    devices.push_back(unit->device);
    for (std::size_t i = 0; i < unit->partitions.size(); ++i) {
      Entry part = entry;
      part.partition = unit->partitions[i];
      part.label = unit->partition_devices[i].id.text;
      catalog->emplace(unit->partition_devices[i].id.text, std::move(part));
      devices.push_back(unit->partition_devices[i]);
    }
    catalog->emplace(unit->device.id.text, std::move(entry));
  };
  const auto unit_at = [&](const std::optional<PciAddress>& address) -> std::shared_ptr<Unit> {
    for (const auto& unit : units_) {
      if (unit->device.pci == address) return unit;
    }
    return nullptr;
  };

  // By address; units whose function the kernel's files do not show (WSL, a bare container) come in their own order.
  struct Line {
    std::optional<PciAddress> address;
    std::shared_ptr<Unit> unit;
    const Place* place;
  };
  std::vector<Line> lines;
  for (const Place& place : places) lines.push_back({place.function.address, unit_at(place.function.address), &place});
  for (const auto& unit : units_) {
    const bool shown = unit->device.pci && std::any_of(places.begin(), places.end(), [&](const Place& place) {
                         return place.function.address == *unit->device.pci;
                       });
    // One that was on the bus and no longer is has left.
    if (!shown && !unit->on_bus) lines.push_back({unit->device.pci, unit, nullptr});
    unit->on_bus |= shown;
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tuple(!a.address, a.address.value_or(PciAddress{})) <
           std::tuple(!b.address, b.address.value_or(PciAddress{}));
  });

  for (const Line& line : lines) {
    if (line.unit) {
      add_unit(line.unit, line.place);
      continue;
    }
    const PciFunction& function = line.place->function;
    const bool was_known = known_.contains(function.address);
    const std::string label = label_of(function.address, {});
    Entry entry;
    entry.label = label;
    entry.folder = function.folder;
    entry.managed = function.driven && !wake_;
    if (!function.driven) {
      entry.error =
          failure_ && !open
              ? *failure_
              : Error{Errc::unavailable, fmt::format("no kernel driver is bound to {}; bind it with `echo {} | sudo "
                                                     "tee /sys/bus/pci/drivers/nvidia/bind`",
                                                     label, function.address.to_string())};
    } else if (asleep != places.end()) {
      if (line.place->attention == Attention::awake) {
        entry.error =
            Error{Errc::unavailable, fmt::format("not read: opening the driver would wake GPU {}; use --wake to do so",
                                                 asleep->function.address.to_string())};
      }
    } else if (open) {
      // In a container with some of the machine's GPUs the others are none of ours.
      if (unopened_.empty() && !was_known) continue;
      entry.error = device_error(unopened_.empty() ? kGpuNotFound : unopened_.front().code, label);
    } else if (failure_) {
      entry.error = failed_devices_ ? device_error(*failed_devices_, label) : *failure_;
    }
    Device device = known_device(function);
    catalog->emplace(device.id.text, std::move(entry));
    devices.push_back(std::move(device));
  }

  // Devices that could not be asked who they are, where the kernel's files do not say it either (a container without
  // /sys, WSL): one that hangs must not vanish from the list. They are called by the library's index until they answer.
  const auto in_files =
      std::ranges::count_if(lines, [](const Line& line) { return !line.unit && line.place->function.driven; });
  for (std::size_t i = static_cast<std::size_t>(in_files); open && i < unopened_.size(); ++i) {
    Device device;
    device.id.text = fmt::format("NVML-{}", unopened_[i].index);
    device.vendor = Vendor::nvidia;
    device.name = "NVIDIA GPU";
    device.source = "nvml";
    device.driver = "nvidia";
    device.driver_version = system_.driver_version;
    device.library_version = system_.library_version;
    device.cuda_version = system_.cuda_version;
    Entry entry;
    entry.label = fmt::format("the GPU that nvidia-smi numbers {}", unopened_[i].index);
    entry.error = device_error(unopened_[i].code, entry.label);
    catalog->emplace(device.id.text, std::move(entry));
    devices.push_back(std::move(device));
  }

  // What was listed before and stands on no bus that could be looked at says why it cannot be read.
  if (!open && failure_ && places.empty()) {
    for (const auto& [id, entry] : *grip().catalog) {
      Entry down;
      down.label = entry.label;
      down.error = *failure_;
      catalog->emplace(id, std::move(down));
    }
  }

  std::shared_ptr<const Catalog> old = std::move(catalog);  // released after the lock, as is the session
  std::shared_ptr<Session> held = session;
  std::scoped_lock lock(mutex_);
  catalog_.swap(old);
  // The one that was listed may have been closed meanwhile, by a reading that found every device at rest.
  if (session && session->generation() != listed_generation_) {
    session_.swap(held);
    listed_generation_ = session->generation();
  }
  return devices;
}

}  // namespace gpukeeper::nvml
