#include "backend/kernel/messages.hpp"

/// The PCI core's lines: drivers/pci/pcie/{aer,dpc}.c and drivers/pci/hotplug/pciehp_ctrl.c.
namespace gpukeeper {
namespace {

// What a port says first ("Corrected error received: 0000:01:00.0") is repeated by the device with the reason.
constexpr MessageRow kRows[] = {
    {"PCIe Bus Error: severity=", "", EventKind::pcie_error},
    {"DPC: containment event", "", EventKind::pcie_error},
    {"pciehp: Slot(", "Link Down", EventKind::pcie_error},
};

}  // namespace

std::optional<KernelMessage> read_pci(const KernelLine& line) {
  KernelLine rest = line;
  skip(rest.text, "AER: ");
  for (const MessageRow& row : kRows) {
    if (!rest.text.starts_with(row.start) || rest.text.find(row.words) == std::string_view::npos) continue;
    KernelMessage found = message(rest, row.kind);
    found.of_pci = true;
    return found;
  }
  return std::nullopt;
}

}  // namespace gpukeeper
