// Who a GPU is, where it is plugged, and how it is set up.
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

Return count(Symbol symbol, Uint* out) {
  const Call call(symbol);
  return call ? call.put(out, static_cast<Uint>(enumeration().count)) : call.code();
}

Return by_index(Symbol symbol, Uint index, Device* out) {
  const Call call(symbol);
  if (!call) return call.code();
  if (!out || index >= static_cast<Uint>(enumeration().count)) return abi::kInvalidArgument;
  const int slot = enumeration().slots[index];
  if (const auto lost = call.state().gpus[slot].lost.load()) return static_cast<Return>(lost);
  *out = handle_of(slot);
  return abi::kSuccess;
}

/// The first GPU or MIG instance that `matches`; `mig` is nullptr for the GPU itself.
template <class Matches>
Return find(Symbol symbol, const char* key, Device* out, Matches matches) {
  const Call call(symbol);
  if (!call) return call.code();
  if (!key || !out) return abi::kInvalidArgument;
  for (int i = 0; i < enumeration().count; ++i) {
    const int slot = enumeration().slots[i];
    const Gpu& gpu = call.state().gpus[slot];
    for (int mig = -1; mig < kMaxMigInstances; ++mig) {
      if (mig >= 0 && (gpu.mig_mode != 1 || !gpu.mig[mig].present)) continue;
      if (!matches(gpu, mig < 0 ? nullptr : &gpu.mig[mig])) continue;
      if (const auto lost = gpu.lost.load()) return static_cast<Return>(lost);
      *out = handle_of(slot, mig);
      return abi::kSuccess;
    }
  }
  return abi::kNotFound;
}

Return by_pci_bus_id(Symbol symbol, const char* id, Device* out) {
  // "domain:bus:device.function" with any number of digits, or without the domain.
  unsigned parts[3] = {0, 0, 0};
  if (id) {
    char* end = nullptr;
    unsigned long numbers[3] = {0, 0, 0};
    int n = 0;
    const char* at = id;
    for (; n < 3; ++n) {
      numbers[n] = std::strtoul(at, &end, 16);
      if (end == at) return abi::kInvalidArgument;
      at = end;
      if (*at != ':') {
        ++n;
        break;
      }
      ++at;
    }
    if (n < 2) return abi::kInvalidArgument;
    for (int i = 0; i < n; ++i) parts[3 - n + i] = static_cast<unsigned>(numbers[i]);
  }
  return find(symbol, id, out, [&](const Gpu& gpu, const MigInstance* mig) {
    return !mig && gpu.pci_domain == parts[0] && gpu.pci_bus == parts[1] && gpu.pci_device == parts[2];
  });
}

Return text(Symbol symbol, Device device, char* out, Uint length, const char* (*get)(const Gpu&)) {
  const Call call(symbol, device);
  if (!call) return call.code();
  const char* value = get(call.gpu());
  return *value == '\0' ? abi::kNotSupported : call.put_text(out, length, value);
}

/// The first two struct forms of the PCI call: what they shared with today's, without its wide bus id.
Return pci_info_before_v3(Symbol symbol, Device device, abi::PciInfoV1* out) {
  const Call call(symbol, device, MigHandle::yes);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  const abi::PciInfo now = pci_info(call.gpu());
  abi::PciInfoV1 before{};
  std::memcpy(before.bus_id, now.bus_id_legacy, sizeof(before.bus_id));
  before.domain = now.domain;
  before.bus = now.bus;
  before.device = now.device;
  before.device_id = now.device_id;
  before.subsystem_id = now.subsystem_id;
  call.copy(out, &before, offsetof(abi::PciInfoV1, reserved));  // what follows was never written by any driver we know
  return abi::kSuccess;
}

/// A pair of modes, now and after the next reset.
Return modes(Symbol symbol, Device device, Uint* current, Uint* pending, Uint (*get)(const Gpu&, bool pending)) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!current || !pending) return abi::kInvalidArgument;
  const Uint now = get(call.gpu(), false);
  if (absent(now)) return abi::kNotSupported;
  *pending = get(call.gpu(), true);
  return call.put(current, now);
}

/// The line rate of a PCIe lane, by generation from 1.
Uint mbps_of_generation(Uint generation) {
  constexpr Uint kMbps[] = {kAbsent, 2500, 5000, 8000, 16000, 32000, 64000};
  return generation < std::size(kMbps) ? kMbps[generation] : kAbsent;
}

}  // namespace

NVML_API nvmlDeviceGetCount(Uint* out) {
  return count(Symbol::nvmlDeviceGetCount, out);
}
NVML_API nvmlDeviceGetCount_v2(Uint* out) {
  return count(Symbol::nvmlDeviceGetCount_v2, out);
}
NVML_API nvmlDeviceGetHandleByIndex(Uint index, Device* out) {
  return by_index(Symbol::nvmlDeviceGetHandleByIndex, index, out);
}
NVML_API nvmlDeviceGetHandleByIndex_v2(Uint index, Device* out) {
  return by_index(Symbol::nvmlDeviceGetHandleByIndex_v2, index, out);
}
NVML_API nvmlDeviceGetHandleByUUID(const char* uuid, Device* out) {
  return find(Symbol::nvmlDeviceGetHandleByUUID, uuid, out, [&](const Gpu& gpu, const MigInstance* mig) {
    return strcasecmp(mig ? mig->uuid : gpu.uuid, uuid) == 0;
  });
}
NVML_API nvmlDeviceGetHandleBySerial(const char* serial, Device* out) {
  return find(Symbol::nvmlDeviceGetHandleBySerial, serial, out, [&](const Gpu& gpu, const MigInstance* mig) {
    return !mig && gpu.serial[0] != '\0' && std::strcmp(gpu.serial, serial) == 0;
  });
}
NVML_API nvmlDeviceGetHandleByPciBusId(const char* id, Device* out) {
  return by_pci_bus_id(Symbol::nvmlDeviceGetHandleByPciBusId, id, out);
}
NVML_API nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device* out) {
  return by_pci_bus_id(Symbol::nvmlDeviceGetHandleByPciBusId_v2, id, out);
}

NVML_API nvmlDeviceGetName(Device device, char* name, Uint length) {
  const Call call(Symbol::nvmlDeviceGetName, device, MigHandle::yes);
  if (!call) return call.code();
  if (!call.mig()) return call.put_text(name, length, call.gpu().name);
  char of_mig[96];
  mig_name(call.gpu(), *call.mig(), of_mig);
  return call.put_text(name, length, of_mig);
}
NVML_API nvmlDeviceGetUUID(Device device, char* uuid, Uint length) {
  const Call call(Symbol::nvmlDeviceGetUUID, device, MigHandle::yes);
  if (!call) return call.code();
  return call.put_text(uuid, length, call.mig() ? call.mig()->uuid : call.gpu().uuid);
}
NVML_API nvmlDeviceGetIndex(Device device, Uint* index) {
  const Call call(Symbol::nvmlDeviceGetIndex, device, MigHandle::yes);
  if (!call) return call.code();
  if (call.mig()) return call.put(index, static_cast<Uint>(call.mig_index()));
  const auto* end = enumeration().slots + enumeration().count;
  const auto* at = std::find(enumeration().slots, end, static_cast<std::uint8_t>(call.slot()));
  return at == end ? abi::kInvalidArgument : call.put(index, static_cast<Uint>(at - enumeration().slots));
}

NVML_API nvmlDeviceGetSerial(Device device, char* out, Uint length) {
  return text(Symbol::nvmlDeviceGetSerial, device, out, length, [](const Gpu& gpu) { return gpu.serial; });
}
NVML_API nvmlDeviceGetBoardPartNumber(Device device, char* out, Uint length) {
  return text(Symbol::nvmlDeviceGetBoardPartNumber, device, out, length,
              [](const Gpu& gpu) { return gpu.part_number; });
}
NVML_API nvmlDeviceGetVbiosVersion(Device device, char* out, Uint length) {
  return text(Symbol::nvmlDeviceGetVbiosVersion, device, out, length, [](const Gpu& gpu) { return gpu.vbios; });
}
NVML_API nvmlDeviceGetInforomImageVersion(Device device, char* out, Uint length) {
  return text(Symbol::nvmlDeviceGetInforomImageVersion, device, out, length,
              [](const Gpu& gpu) { return gpu.inforom_image; });
}
NVML_API nvmlDeviceGetInforomVersion(Device device, Uint object, char* out, Uint length) {
  const Call call(Symbol::nvmlDeviceGetInforomVersion, device);
  if (!call) return call.code();
  const char* const versions[] = {call.gpu().inforom_oem, call.gpu().inforom_ecc, call.gpu().inforom_power, ""};
  if (object >= std::size(versions)) return abi::kInvalidArgument;
  return *versions[object] == '\0' ? abi::kNotSupported : call.put_text(out, length, versions[object]);
}
NVML_API nvmlDeviceGetGspFirmwareVersion(Device device, char* out) {
  return text(Symbol::nvmlDeviceGetGspFirmwareVersion, device, out, 64,
              [](const Gpu& gpu) { return gpu.gsp_firmware; });
}
NVML_API nvmlDeviceValidateInforom(Device device) {
  const Call call(Symbol::nvmlDeviceValidateInforom, device);
  if (!call) return call.code();
  return call.gpu().inforom_valid ? abi::kSuccess : abi::kCorruptedInforom;
}

NVML_READ(nvmlDeviceGetBrand, Uint, gpu.brand)
NVML_READ(nvmlDeviceGetModuleId, Uint, gpu.module_id)
NVML_READ(nvmlDeviceGetBoardId, Uint, gpu.board_id)
NVML_READ(nvmlDeviceGetMultiGpuBoard, Uint, gpu.multi_gpu_board)
NVML_READ(nvmlDeviceGetInforomConfigurationChecksum, Uint, gpu.irq * 2654435761U)
NVML_READ(nvmlDeviceGetBusType, Uint, 2U)
NVML_READ(nvmlDeviceGetIrqNum, Uint, gpu.irq)
NVML_READ(nvmlDeviceGetNumGpuCores, Uint, gpu.mig_mode == 1 ? kAbsent : gpu.cores)
NVML_READ(nvmlDeviceGetMemoryBusWidth, Uint, gpu.memory_bus_bits)
NVML_READ(nvmlDeviceGetPowerSource, Uint, gpu.power_source)
NVML_READ(nvmlDeviceGetArchitecture, Uint, gpu.architecture)
NVML_READ(nvmlDeviceGetNumaNodeId, Uint, gpu.numa_node)
NVML_READ(nvmlDeviceGetVirtualizationMode, Uint, gpu.virtualization_mode)
NVML_READ(nvmlDeviceGetDisplayMode, Uint, gpu.display_mode)
NVML_READ(nvmlDeviceGetDisplayActive, Uint, gpu.display_active)
NVML_READ(nvmlDeviceGetPersistenceMode, Uint, gpu.persistence_mode)
NVML_READ(nvmlDeviceGetComputeMode, Uint, gpu.compute_mode)
NVML_READ(nvmlDeviceGetMaxPcieLinkGeneration, Uint, gpu.pcie_generation_max)
NVML_READ(nvmlDeviceGetGpuMaxPcieLinkGeneration, Uint, gpu.pcie_generation_gpu_max)
NVML_READ(nvmlDeviceGetMaxPcieLinkWidth, Uint, gpu.pcie_width_max)
NVML_READ(nvmlDeviceGetCurrPcieLinkGeneration, Uint, gpu.pcie_generation)
NVML_READ(nvmlDeviceGetCurrPcieLinkWidth, Uint, gpu.pcie_width)
NVML_READ(nvmlDeviceGetPcieLinkMaxSpeed, Uint, gpu.pcie_generation_max)  // its codes 1 to 6 are the generations
NVML_READ(nvmlDeviceGetPcieSpeed, Uint, mbps_of_generation(gpu.pcie_generation))
NVML_READ(nvmlDeviceGetPcieReplayCounter, Uint, gpu.pcie_replays)
NVML_READ(nvmlDeviceGetAdaptiveClockInfoStatus, Uint, 1U)

NVML_API nvmlDeviceGetMinorNumber(Device device, Uint* minor) {
  const Call call(Symbol::nvmlDeviceGetMinorNumber, device, MigHandle::yes);
  return call ? call.put(minor, call.gpu().minor) : call.code();
}

NVML_API nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  const Call call(Symbol::nvmlDeviceGetCudaComputeCapability, device, MigHandle::yes);
  if (!call) return call.code();
  if (!major || !minor) return abi::kInvalidArgument;
  *minor = call.gpu().compute_minor;
  return call.put(major, call.gpu().compute_major);
}

NVML_API nvmlDeviceGetPciInfo(Device device, abi::PciInfoV1* out) {
  return pci_info_before_v3(Symbol::nvmlDeviceGetPciInfo, device, out);
}
NVML_API nvmlDeviceGetPciInfo_v2(Device device, abi::PciInfoV1* out) {
  return pci_info_before_v3(Symbol::nvmlDeviceGetPciInfo_v2, device, out);
}
NVML_API nvmlDeviceGetPciInfo_v3(Device device, abi::PciInfo* out) {
  const Call call(Symbol::nvmlDeviceGetPciInfo_v3, device, MigHandle::yes);
  return call ? call.put(out, pci_info(call.gpu())) : call.code();
}
NVML_API nvmlDeviceGetPciInfoExt(Device device, abi::PciInfoExt* out) {
  const Call call(Symbol::nvmlDeviceGetPciInfoExt, device, MigHandle::yes);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  const abi::PciInfo info = pci_info(call.gpu());
  abi::PciInfoExt ext{out->version, info.domain, info.bus, info.device, info.device_id, info.subsystem_id, 3, 2, {}};
  std::memcpy(ext.bus_id, info.bus_id, sizeof(ext.bus_id));
  return call.put(out, ext);
}

NVML_API nvmlDeviceGetPcieThroughput(Device device, Uint counter, Uint* kb_per_s) {
  const Call call(Symbol::nvmlDeviceGetPcieThroughput, device);
  if (!call) return call.code();
  if (counter > 1) return abi::kInvalidArgument;
  const Uint rate = counter == 0 ? call.gpu().pcie_tx_kb_per_s : call.gpu().pcie_rx_kb_per_s;
  return absent(rate) ? abi::kNotSupported : call.put(kb_per_s, rate);
}

NVML_API nvmlDeviceGetDriverModel(Device device, Uint*, Uint*) {
  const Call call(Symbol::nvmlDeviceGetDriverModel, device);
  return call ? abi::kNotSupported : call.code();  // Windows only
}
NVML_API nvmlDeviceGetDriverModel_v2(Device device, Uint*, Uint*) {
  const Call call(Symbol::nvmlDeviceGetDriverModel_v2, device);
  return call ? abi::kNotSupported : call.code();  // Windows only
}
NVML_API nvmlDeviceGetGpuOperationMode(Device device, Uint* current, Uint* pending) {
  return modes(Symbol::nvmlDeviceGetGpuOperationMode, device, current, pending,
               [](const Gpu& gpu, bool) { return gpu.operation_mode; });
}
NVML_API nvmlDeviceGetEccMode(Device device, Uint* current, Uint* pending) {
  return modes(Symbol::nvmlDeviceGetEccMode, device, current, pending,
               [](const Gpu& gpu, bool later) { return later ? gpu.ecc_mode_pending : gpu.ecc_mode; });
}
NVML_READ(nvmlDeviceGetDefaultEccMode, Uint, absent(gpu.ecc_mode) ? kAbsent : 1U)
NVML_API nvmlDeviceGetMigMode(Device device, Uint* current, Uint* pending) {
  return modes(Symbol::nvmlDeviceGetMigMode, device, current, pending,
               [](const Gpu& gpu, bool later) { return later ? gpu.mig_mode_pending : gpu.mig_mode; });
}
NVML_API nvmlDeviceGetGspFirmwareMode(Device device, Uint* enabled, Uint* default_mode) {
  return modes(Symbol::nvmlDeviceGetGspFirmwareMode, device, enabled, default_mode,
               [](const Gpu& gpu, bool) { return gpu.gsp_mode; });
}

NVML_API nvmlDeviceGetAPIRestriction(Device device, Uint api, Uint* restricted) {
  const Call call(Symbol::nvmlDeviceGetAPIRestriction, device);
  if (!call) return call.code();
  if (api > 1) return abi::kInvalidArgument;
  return api == 1 ? abi::kNotSupported : call.put(restricted, 0U);
}
NVML_API nvmlDeviceGetBridgeChipInfo(Device device, abi::BridgeChips*) {
  const Call call(Symbol::nvmlDeviceGetBridgeChipInfo, device);
  return call ? abi::kNotSupported : call.code();  // two-chip boards of 2014
}
NVML_API nvmlDeviceOnSameBoard(Device one, Device other, int* same) {
  const Call call(Symbol::nvmlDeviceOnSameBoard, one);
  if (!call) return call.code();
  int slot = 0, mig = 0;
  if (!resolve(other, slot, mig)) return abi::kInvalidArgument;
  return call.put(same, call.gpu().board_id == call.state().gpus[slot].board_id ? 1 : 0);
}

NVML_API nvmlDeviceGetAddressingMode(Device device, abi::AddressingMode* out) {
  const Call call(Symbol::nvmlDeviceGetAddressingMode, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  return call.put(out, {out->version, call.gpu().addressing_mode});
}
NVML_API nvmlDeviceGetC2cModeInfoV(Device device, abi::C2cMode* out) {
  const Call call(Symbol::nvmlDeviceGetC2cModeInfoV, device);
  return call ? call.put(out, {call.gpu().c2c}) : call.code();
}
NVML_API nvmlDeviceGetPlatformInfo(Device device, abi::PlatformInfo* out) {
  const Call call(Symbol::nvmlDeviceGetPlatformInfo, device);
  if (!call) return call.code();
  if (call.check(out, 1) && call.check(out, 2)) return call.check(out, 2);
  abi::PlatformInfo info{};
  info.version = out->version;
  info.module = static_cast<unsigned char>(call.gpu().module_id);
  return call.put(out, info);
}
NVML_API nvmlDeviceGetCapabilities(Device device, abi::Capabilities* out) {
  const Call call(Symbol::nvmlDeviceGetCapabilities, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  return call.put(out, {out->version, 0});
}
NVML_API nvmlDeviceGetHostname_v1(Device device, abi::Hostname* out) {
  const Call call(Symbol::nvmlDeviceGetHostname_v1, device);
  if (!call) return call.code();
  abi::Hostname name{};
  std::memcpy(name.value, call.gpu().hostname, sizeof(name.value));
  return call.put(out, name);
}
NVML_API nvmlDeviceSetHostname_v1(Device device, abi::Hostname* in) {
  const Call call(Symbol::nvmlDeviceSetHostname_v1, device);
  if (!call) return call.code();
  if (!in) return abi::kInvalidArgument;
  if (!call.state().setters_permitted) return abi::kNoPermission;
  std::memcpy(call.gpu().hostname, in->value, sizeof(in->value));
  return abi::kSuccess;
}
