#include <algorithm>

#include "recording/metric_json.hpp"

namespace gpukeeper::recording {
namespace {

struct TextFact {
  std::string_view name;  // as in the JSON of `gpukeeper devices`
  Device::Text Device::*value;
};
constexpr TextFact kTexts[] = {
    {"driver", &Device::driver},
    {"driver_version", &Device::driver_version},
    {"library_version", &Device::library_version},
    {"cuda_version", &Device::cuda_version},
    {"vbios_version", &Device::vbios_version},
    {"serial", &Device::serial},
    {"board_part_number", &Device::board_part_number},
    {"architecture", &Device::architecture},
    {"compute_capability", &Device::compute_capability},
    {"pci_id", &Device::pci_id},
    {"pci_subsystem_id", &Device::pci_subsystem_id},
    {"cpu_affinity", &Device::cpu_affinity},
};

struct WholeFact {
  std::string_view name;
  Metric<std::uint32_t> Device::*value;
};
constexpr WholeFact kWholes[] = {{"numa_node", &Device::numa_node}, {"minor_number", &Device::minor_number}};

constexpr Vendor kVendors[] = {Vendor::nvidia, Vendor::amd, Vendor::intel, Vendor::other};
constexpr Link::Kind kLinks[] = {Link::Kind::nvlink, Link::Kind::xgmi, Link::Kind::pcie};

template <class T, std::size_t N>
T word_of(const T (&all)[N], const std::optional<std::string>& word, T otherwise) {
  const T* found = std::ranges::find(all, word.value_or(""), [](T each) { return to_string(each); });
  return found == std::end(all) ? otherwise : *found;
}

}  // namespace

Json to_json(const Device& device) {
  Json json = {{"id", device.id.text},
               {"vendor", to_string(device.vendor)},
               {"name", device.name},
               {"simulated", device.simulated}};
  if (device.pci) json["pci"] = device.pci->to_string();
  if (device.parent) json["parent"] = device.parent->text;
  if (device.partition) json["partition"] = *device.partition;
  for (const TextFact& fact : kTexts) put(json, fact.name, device.*fact.value, Missing::not_supported);
  for (const WholeFact& fact : kWholes) put(json, fact.name, device.*fact.value, Missing::not_supported);
  for (const Link& link : device.links) {
    json["links"].push_back({{"kind", to_string(link.kind)}, {"peer", link.peer}, {"count", link.count}});
  }
  return json;
}

Device device_from(const Json& json, Notes& notes) {
  Device device;
  device.id.text = text_member(json, "id").value_or("");
  device.vendor = word_of(kVendors, text_member(json, "vendor"), Vendor::other);
  device.name = text_member(json, "name").value_or("");
  device.simulated = flag_member(json, "simulated");
  device.recorded = true;
  if (const auto pci = text_member(json, "pci")) device.pci = PciAddress::parse(*pci);
  if (auto parent = text_member(json, "parent")) device.parent = DeviceId{std::move(*parent)};
  device.partition = text_member(json, "partition");
  for (const TextFact& fact : kTexts) get(json, fact.name, device.*fact.value, std::string(), notes);
  for (const WholeFact& fact : kWholes) get(json, fact.name, device.*fact.value, std::uint32_t{}, notes);
  if (const Json* links = member(json, "links"); links != nullptr && links->is_array()) {
    for (const Json& link : *links) {
      device.links.push_back({word_of(kLinks, text_member(link, "kind"), Link::Kind::pcie),
                              text_member(link, "peer").value_or(""),
                              static_cast<std::uint32_t>(whole_member(link, "count").value_or(1))});
    }
  }
  return device;
}

}  // namespace gpukeeper::recording
