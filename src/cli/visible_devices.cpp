#include "cli/visible_devices.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gpukeeper::cli {
namespace {

constexpr std::string_view kAmd = "AMD-";

// Its position among those of its vendor, by PCI address where all have one, else in the order given.
std::size_t position(const std::vector<VisibleDevice>& devices, const VisibleDevice& device) {
  std::vector<const VisibleDevice*> of_vendor;
  for (const VisibleDevice& d : devices) {
    if (d.vendor == device.vendor) of_vendor.push_back(&d);
  }
  std::ranges::stable_sort(of_vendor, {}, [](const VisibleDevice* d) { return d->pci_address; });
  return static_cast<std::size_t>(std::ranges::find(of_vendor, &device) - of_vendor.begin());
}

std::string name_for_runtime(const std::vector<VisibleDevice>& devices, const VisibleDevice& device) {
  if (device.vendor == Vendor::nvidia) return device.id;
  if (device.vendor == Vendor::amd && device.id.starts_with(kAmd)) return "GPU-" + device.id.substr(kAmd.size());
  return std::to_string(position(devices, device));
}

}  // namespace

EnvironmentChange visible(const std::vector<VisibleDevice>& devices) {
  const auto names = [&](Vendor vendor) {
    std::vector<std::string> result;
    for (const VisibleDevice& d : devices) {
      if (d.booked && d.vendor == vendor) result.push_back(name_for_runtime(devices, d));
    }
    return fmt::format("{}", fmt::join(result, ","));
  };
  EnvironmentChange change;
  const std::string nvidia = names(Vendor::nvidia);
  const std::string amd = names(Vendor::amd);
  const std::string intel = names(Vendor::intel);
  if (!nvidia.empty()) change.set.emplace_back("CUDA_VISIBLE_DEVICES", nvidia);
  if (!amd.empty()) {
    change.set.emplace_back("ROCR_VISIBLE_DEVICES", amd);
    change.unset = {"HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"};
    if (nvidia.empty()) change.unset.emplace_back("CUDA_VISIBLE_DEVICES");
  }
  if (!intel.empty()) {
    change.set.emplace_back("ZE_AFFINITY_MASK", intel);
    change.set.emplace_back("ZE_ENABLE_PCI_ID_DEVICE_ORDER", "1");
  }
  return change;
}

}  // namespace gpukeeper::cli
