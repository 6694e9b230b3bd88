#include "backend/sysfs/drm_card.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kFolder = "/sys/class/drm";

std::string last_part(std::string_view path) {
  return std::string(split(path, '/').back());
}

/// A number that the kernel prints as "0x030000".
std::optional<std::uint32_t> read_hex(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  const auto number = text ? parse_u64(*text, 16) : std::nullopt;
  if (!number || *number > 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::uint16_t read_id(const Files& files, const std::string& path) {
  const auto number = read_hex(files, path);
  return number && *number <= 0xffff ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
}

/// The PCI functions on the device path of a card, out of where its link points:
/// "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/card0". Empty when the card is not the last function's own:
/// a display on a USB controller is no PCI device. A virtio card stands below its function ("…/0000:00:02.0/virtio1").
std::vector<PciAddress> pci_path(const Files& files, const std::string& folder) {
  std::vector<PciAddress> path;
  const auto target = files.read_link(folder);
  if (!target) return path;
  const auto parts = split(*target, '/');
  std::size_t last = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto address = PciAddress::parse(parts[i]);
    if (!address) continue;
    path.push_back(*address);
    last = i;
  }
  const auto below = last + 1 < parts.size() ? parts[last + 1] : std::string_view();
  if (below != "drm" && !numbered(below, "virtio")) path.clear();
  return path;
}

void read_ids(const Files& files, const std::string& uevent, DrmCard& card) {
  // A virtio card's device may be the virtio function, whose PCI function is its parent.
  const std::string folder = uevent_value(uevent, "PCI_SLOT_NAME") || !card.pci
                                 ? card.device_folder
                                 : fmt::format("/sys/bus/pci/devices/{}", card.pci->to_string());
  if (const auto ids = parse_pci_id(uevent_value(uevent, "PCI_ID").value_or(""))) {
    std::tie(card.vendor_id, card.device_id) = *ids;
  } else if (card.pci) {
    card.vendor_id = read_id(files, folder + "/vendor");
    card.device_id = read_id(files, folder + "/device");
  }
  if (const auto ids = parse_pci_id(uevent_value(uevent, "PCI_SUBSYS_ID").value_or(""))) {
    std::tie(card.subsystem_vendor, card.subsystem_device) = *ids;
  }
  if (const auto text = uevent_value(uevent, "PCI_CLASS")) {
    if (const auto code = parse_u64(*text, 16); code && *code <= 0xffffff) {
      card.class_code = static_cast<std::uint32_t>(*code);
    }
  } else if (card.pci) {
    card.class_code = read_hex(files, folder + "/class");
  }
}

DrmCard read_card(const Files& files, std::uint32_t minor) {
  DrmCard card;
  card.minor = minor;
  card.folder = fmt::format("{}/card{}", kFolder, minor);
  card.device_folder = card.folder + "/device";

  const auto uevent = files.read(card.device_folder + "/uevent").value_or("");
  card.path = pci_path(files, card.folder);
  card.pci = PciAddress::parse(uevent_value(uevent, "PCI_SLOT_NAME").value_or(""));
  if (!card.pci && !card.path.empty()) card.pci = card.path.back();
  if (card.pci && card.path.empty()) card.path.push_back(*card.pci);
  read_ids(files, uevent, card);

  if (const auto driver = uevent_value(uevent, "DRIVER")) {
    card.driver = *driver;
  } else if (const auto link = files.read_link(card.device_folder + "/driver")) {
    card.driver = last_part(*link);
  }
  card.compatible = uevent_value(uevent, "OF_COMPATIBLE_0").value_or("");

  if (const auto nodes = files.list(card.device_folder + "/drm")) {
    for (const auto& node : *nodes) {
      if (const auto number = numbered(node, "renderD")) card.render_minor = number;
    }
  }
  return card;
}

}  // namespace

DeviceId DrmCard::id() const {
  if (pci) return DeviceId{"PCI-" + pci->to_string()};
  return DeviceId{fmt::format("DRM-card{}", minor)};
}

Result<std::vector<DrmCard>> drm_cards(const Files& files) {
  const auto names = files.list(kFolder);
  if (!names && names.error().code == Errc::not_found) return std::vector<DrmCard>{};
  if (!names) {
    return fail(Errc::unavailable, fmt::format("list graphics cards: {}; the folder must be readable for this user",
                                               names.error().message));
  }
  std::vector<DrmCard> cards;
  for (const auto& name : *names) {
    if (const auto minor = numbered(name, "card")) cards.push_back(read_card(files, *minor));
  }
  std::sort(cards.begin(), cards.end(), [](const DrmCard& a, const DrmCard& b) {
    if (a.pci.has_value() != b.pci.has_value()) return a.pci.has_value();
    if (a.pci != b.pci) return a.pci < b.pci;
    return a.minor < b.minor;
  });
  return cards;
}

}  // namespace gpukeeper
