// What gpukeeper-pod-resources prints, which has come from somebody's cluster: any text is refused with a sentence, or
// its names and ids find devices, or none.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "kubernetes/pod_list.hpp"
#include "kubernetes/pod_names.hpp"

using namespace gpukeeper;

namespace {

DeviceSnapshot gpu(std::uint32_t index, const char* uuid, Vendor vendor, const char* pci) {
  auto device = std::make_shared<Device>();
  device->id.text = uuid;
  device->vendor = vendor;
  device->pci = PciAddress::parse(pci);
  device->minor_number = index;
  DeviceSnapshot result;
  result.index = index;
  result.device = std::move(device);
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto pods = kubernetes::parse_pod_list({reinterpret_cast<const char*>(data), size});
  if (!pods) {
    if (pods.error().message.empty() || pods.error().message.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  const std::vector<DeviceSnapshot> devices = {gpu(0, "GPU-a", Vendor::nvidia, "0000:01:00.0"),
                                               gpu(1, "AMD-b", Vendor::amd, "0000:02:00.0"),
                                               gpu(2, "PCI-0000:03:00.0", Vendor::intel, "0000:03:00.0")};
  for (const auto& [device, names] : kubernetes::claims_of(*pods, devices)) {
    if (names.empty()) std::abort();
  }
  return 0;
}
