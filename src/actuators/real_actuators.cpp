#include "actuators/real_actuators.hpp"

#include <iterator>
#include <utility>

#include "actuators/cgroup_freezer.hpp"
#include "actuators/nvml_actuators.hpp"
#include "actuators/sysfs_actuators.hpp"

namespace gpukeeper {
namespace {

ActuatorSettings everything() {
  ActuatorSettings settings;
  settings.power_limit = settings.locked_clocks = settings.fan = true;
  return settings;
}

// The device that a place in /sys belongs to: "/sys/bus/pci/devices/0000:03:00.0/hwmon/…".
std::optional<PciAddress> pci_of(std::string_view place) {
  constexpr std::string_view kFolder = "/sys/bus/pci/devices/";
  if (!place.starts_with(kFolder)) return std::nullopt;
  place.remove_prefix(kFolder.size());
  return PciAddress::parse(place.substr(0, place.find('/')));
}

}  // namespace

RealActuators::RealActuators(std::shared_ptr<const Files> files, std::shared_ptr<KernelFiles> writes,
                             std::shared_ptr<Signals> signals, std::string nvml_library)
    : files_(std::move(files)),
      writes_(std::move(writes)),
      signals_(std::move(signals)),
      nvml_library_(std::move(nvml_library)) {}

std::vector<std::unique_ptr<Actuator>> RealActuators::actuators(const DeviceSnapshot& device,
                                                                const ActuatorSettings& settings) {
  std::vector<std::unique_ptr<Actuator>> result;
  if (device.device->simulated || device.device->recorded) return result;
  const auto add = [&](std::vector<std::unique_ptr<Actuator>> more) {
    std::ranges::move(more, std::back_inserter(result));
  };
  add(nvml_actuators(*device.device, settings, nvml_library_));
  add(sysfs_actuators(*device.device, settings, *files_, *writes_));
  if (settings.freeze) {
    add(freezers(device, settings, *files_, *writes_));
    add(stoppers(device, settings, *files_, *signals_));
  }
  return result;
}

std::unique_ptr<Actuator> RealActuators::find(const ActuatorName& name) {
  if (name.kind == ActuatorKind::freeze) {
    auto stopper = find_stopper(name, *files_, *signals_);
    return stopper ? std::move(stopper) : find_freezer(name, *files_, *writes_);
  }
  Device device;
  device.id = name.device;
  device.pci = pci_of(name.place);
  device.vendor = device.pci ? Vendor::other : Vendor::nvidia;
  auto all = device.pci ? sysfs_actuators(device, everything(), *files_, *writes_)
                        : nvml_actuators(device, everything(), nvml_library_);
  for (auto& actuator : all) {
    if (actuator->name() == name) return std::move(actuator);
  }
  return nullptr;
}

}  // namespace gpukeeper
