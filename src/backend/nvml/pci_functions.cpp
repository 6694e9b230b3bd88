#include "backend/nvml/pci_functions.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::nvml {
namespace {

constexpr std::uint16_t kNvidia = 0x10de;

std::optional<std::uint64_t> hex(const Result<std::string>& text) {
  if (!text) return std::nullopt;
  auto digits = trim(*text);
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  return parse_u64(digits, 16);
}

}  // namespace

std::vector<PciFunction> PciFunctions::scan() {
  std::vector<PciFunction> result;
  for (PciGpu& gpu : bus_.gpus(kNvidia)) {
    if (gpu.driver && !gpu.driver->empty() && gpu.driver != "nvidia") continue;
    const bool driven = gpu.driver != "";
    PciFunction function{gpu.address, std::move(gpu.folder), gpu.device, driven, false};
    const auto control = files_.read(function.folder + "/power/control");
    function.managed = control && trim(*control) == "auto";
    result.push_back(std::move(function));
  }
  return result;
}

void PciFunctions::add_facts(const std::string& folder, Device& device) const {
  if (const auto node = files_.read(folder + "/numa_node")) {
    if (const auto number = parse_i64(*node);
        number && *number >= 0) {  // -1: the machine has one node, or will not say
      device.numa_node = static_cast<std::uint32_t>(*number);
    }
  }
  if (const auto cpus = files_.read(folder + "/local_cpulist"); cpus && !trim(*cpus).empty()) {
    device.cpu_affinity = std::string(trim(*cpus));
  }
  const auto ids = [&](const char* vendor, const char* id) -> Device::Text {
    const auto first = hex(files_.read(folder + vendor));
    const auto second = hex(files_.read(folder + id));
    if (!first || !second) return missing(Missing::not_supported);
    return fmt::format("{:04x}:{:04x}", *first, *second);
  };
  if (!device.pci_id) device.pci_id = ids("/vendor", "/device");
  if (!device.pci_subsystem_id) device.pci_subsystem_id = ids("/subsystem_vendor", "/subsystem_device");
}

Device PciFunctions::describe(const PciFunction& function) {
  Device device;
  device.vendor = Vendor::nvidia;
  device.pci = function.address;
  device.source = "nvml";
  device.id.text = "PCI-" + function.address.to_string();
  if (function.driven) device.driver = "nvidia";
  add_facts(function.folder, device);
  if (const auto version = module_version(); !version.empty()) device.driver_version = version;

  // Written by the driver from what it keeps in memory. A GPU that was never opened since the module was loaded has
  // question marks for what only the board could tell.
  const auto information =
      files_.read(fmt::format("/proc/driver/nvidia/gpus/{}/information", function.address.to_string()));
  if (information) {
    for (const auto line : lines(*information)) {
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const auto key = trim(line.substr(0, colon));
      const auto value = std::string(trim(line.substr(colon + 1)));
      if (value.empty() || value.find('?') != std::string::npos) continue;
      if (key == "Model") device.name = value;
      if (key == "GPU UUID") device.id.text = value;
      if (key == "Video BIOS") device.vbios_version = value;
      if (key == "Device Minor") {
        if (const auto minor = parse_u64(value)) device.minor_number = static_cast<std::uint32_t>(*minor);
      }
    }
  }
  if (device.name.empty()) {
    device.name = names_.name({kNvidia, function.device, {}, {}});
  }
  return device;
}

std::string PciFunctions::module_version() const {
  const auto version = files_.read("/sys/module/nvidia/version");
  return version ? std::string(trim(*version)) : std::string();
}

}  // namespace gpukeeper::nvml
