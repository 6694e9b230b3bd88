#include "backend/sysfs/pci_facts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

std::string pci_folder(const PciAddress& address) {
  return fmt::format("/sys/bus/pci/devices/{}", address.to_string());
}

std::uint16_t vendor_of(const Files& files, const PciAddress& address) {
  const auto text = files.read(pci_folder(address) + "/vendor");
  const auto vendor = text ? parse_u64(*text, 16) : std::nullopt;
  return vendor && *vendor <= 0xffff ? static_cast<std::uint16_t>(*vendor) : std::uint16_t{0};
}

/// A driver built outside of the kernel's tree tells its own version; the others are as old as the kernel.
Metric<std::string> driver_version(const Files& files, const std::string& driver) {
  if (auto own = read_text(files, fmt::format("/sys/module/{}/version", driver))) return own;
  return read_text(files, "/proc/sys/kernel/osrelease");
}

Metric<std::uint32_t> read_link_file(const Files& files, const std::string& path,
                                     std::optional<std::uint32_t> (*parse)(std::string_view)) {
  const auto text = files.read(path);
  if (!text) return missing(missing_from(text.error().code));
  if (const auto value = parse(*text)) return *value;
  return missing(Missing::not_supported);
}

/// The most that both ends of a link can do; what one end can do where the other does not tell.
Metric<std::uint32_t> shared(const Metric<std::uint32_t>& device, const Metric<std::uint32_t>& slot) {
  if (device && slot) return std::min(*device, *slot);
  return device;
}

}  // namespace

void add_pci_facts(const Files& files, const DrmCard& card, Device& device) {
  device.id = card.id();
  device.pci = card.pci;
  device.minor_number = card.minor;
  if (!card.driver.empty()) {
    device.driver = card.driver;
    device.driver_version = driver_version(files, card.driver);
  }
  if (card.vendor_id != 0) {
    device.vendor = vendor_from_pci(card.vendor_id);
    device.pci_id = fmt::format("{:04x}:{:04x}", card.vendor_id, card.device_id);
  }
  if (card.subsystem_vendor != 0) {
    device.pci_subsystem_id = fmt::format("{:04x}:{:04x}", card.subsystem_vendor, card.subsystem_device);
  }
  const auto node = read_number(files, card.device_folder + "/numa_node");
  if (node && *node >= 0 && *node <= 0xffff) {  // -1: the machine has no nodes, or its firmware does not tell
    device.numa_node = static_cast<std::uint32_t>(*node);
  } else {
    device.numa_node = missing(node ? Missing::not_supported : node.error());
  }
  device.cpu_affinity = read_text(files, card.device_folder + "/local_cpulist");
}

LinkPlace find_link(const Files& files, const DrmCard& card) {
  const auto& path = card.path;
  const auto at = [&](std::size_t up) { return path[path.size() - 1 - up]; };
  // Root port, upstream port, downstream port, GPU: a switch needs three functions above the GPU.
  if (path.size() >= 4 && vendor_of(files, at(1)) == card.vendor_id && vendor_of(files, at(2)) == card.vendor_id) {
    return LinkPlace{pci_folder(at(2)), pci_folder(at(3)), true};
  }
  return LinkPlace{card.device_folder, path.size() >= 2 ? pci_folder(at(1)) : std::string(), false};
}

PcieLink read_link_state(const Files& files, const LinkPlace& place) {
  PcieLink link;
  link.climbed = place.climbed;
  link.generation = read_link_file(files, place.folder + "/current_link_speed", &parse_link_generation);
  link.width = read_link_file(files, place.folder + "/current_link_width", &parse_link_width);
  link.generation_max = read_link_file(files, place.folder + "/max_link_speed", &parse_link_generation);
  link.width_max = read_link_file(files, place.folder + "/max_link_width", &parse_link_width);
  if (!place.slot_folder.empty()) {
    link.generation_max = shared(link.generation_max,
                                 read_link_file(files, place.slot_folder + "/max_link_speed", &parse_link_generation));
    link.width_max =
        shared(link.width_max, read_link_file(files, place.slot_folder + "/max_link_width", &parse_link_width));
  }
  return link;
}

void set_link(Reading& reading, const PcieLink& link) {
  const auto count = [](std::uint32_t value) { return Count(value); };
  reading.pcie_generation = link.generation.map(count);
  reading.pcie_generation_max = link.generation_max.map(count);
  reading.pcie_width = link.width.map(count);
  reading.pcie_width_max = link.width_max.map(count);
}

}  // namespace gpukeeper
