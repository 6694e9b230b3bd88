#include "device/device.hpp"

namespace gpukeeper {

std::string_view to_string(Vendor vendor) {
  switch (vendor) {
    case Vendor::nvidia: return "nvidia";
    case Vendor::amd: return "amd";
    case Vendor::intel: return "intel";
    case Vendor::other: return "other";
  }
  return "other";
}

Vendor vendor_from_pci(std::uint32_t vendor_id) {
  switch (vendor_id) {
    case 0x10de: return Vendor::nvidia;
    case 0x1002:
    case 0x1022: return Vendor::amd;
    case 0x8086: return Vendor::intel;
    default: return Vendor::other;
  }
}

std::string_view to_string(Link::Kind kind) {
  switch (kind) {
    case Link::Kind::nvlink: return "nvlink";
    case Link::Kind::xgmi: return "xgmi";
    case Link::Kind::pcie: return "pcie";
  }
  return "pcie";
}

}  // namespace gpukeeper
