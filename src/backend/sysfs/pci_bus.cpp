#include "backend/sysfs/pci_bus.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kDevices = "/sys/bus/pci/devices";

std::optional<std::uint64_t> read_hex(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  return text ? parse_u64(*text, 16) : std::nullopt;
}

}  // namespace

std::optional<PciBus::Function> PciBus::identify(const std::string& folder) const {
  const auto vendor = read_hex(files_, folder + "/vendor");
  const auto device = read_hex(files_, folder + "/device");
  const auto kind = read_hex(files_, folder + "/class");
  if (!vendor || !device || !kind) return std::nullopt;
  // Base class 03 is a display controller, 12 a processing accelerator (Instinct cards): PCI Code and ID Assignment.
  const bool gpu = *kind >> 16 == 0x03 || *kind >> 16 == 0x12;
  return Function{gpu, static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*device)};
}

std::optional<std::string> PciBus::driver_of(const std::string& folder) const {
  if (const auto link = files_.read_link(folder + "/driver")) return link->substr(link->find_last_of('/') + 1);
  const auto uevent = files_.read(folder + "/uevent");  // a copied tree has no links
  if (!uevent) return std::nullopt;
  for (const auto line : lines(*uevent)) {
    if (line.starts_with("DRIVER=")) return std::string(trim(line.substr(7)));
  }
  return "";
}

std::vector<PciGpu> PciBus::gpus(std::optional<std::uint16_t> vendor) {
  std::vector<PciGpu> result;
  const auto names = files_.list(kDevices);
  if (!names) return result;
  std::scoped_lock lock(mutex_);
  std::erase_if(known_, [&](const auto& item) { return !std::ranges::binary_search(*names, item.first); });
  for (const std::string& name : *names) {
    const auto address = PciAddress::parse(name);
    if (!address) continue;
    const auto folder = fmt::format("{}/{}", kDevices, name);
    auto known = known_.find(name);
    if (known == known_.end()) {
      const auto function = identify(folder);
      if (!function) continue;  // it has just left, or is being set up: ask again next time
      known = known_.emplace(name, *function).first;
    }
    const Function& function = known->second;
    if (!function.gpu || (vendor && *vendor != function.vendor)) continue;
    PciGpu gpu{*address, folder, function.vendor, function.device, driver_of(folder)};
    result.push_back(std::move(gpu));
  }
  std::ranges::sort(result, {}, &PciGpu::address);
  return result;
}

}  // namespace gpukeeper
