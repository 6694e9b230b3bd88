// How GPUs are tied to each other and to the processors: NVLink, PCIe topology, affinity.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

enum Level : Uint { kInternal = 0, kSingle = 10, kHostBridge = 30, kNode = 40, kSystem = 50 };

/// The closest thing that two GPUs share. Behind one switch is "single": the fake knows no cascades of them.
Level common_ancestor(const Gpu& a, const Gpu& b) {
  if (a.board_id == b.board_id) return kInternal;
  if (!absent(a.pcie_switch) && a.pcie_switch == b.pcie_switch) return kSingle;
  if (a.host_bridge == b.host_bridge) return kHostBridge;
  return a.numa_node == b.numa_node ? kNode : kSystem;
}

bool linked(const Gpu& a, const Gpu& b, int slot_of_b) {
  const auto to_switch = [](const NvLink& link) { return link.active && link.remote_type == 2; };
  const auto to_b = [&](const NvLink& link) {
    return link.active && link.remote_type == 0 && link.remote_gpu == static_cast<Uint>(slot_of_b);
  };
  const auto* end = a.link + a.links;
  return std::any_of(a.link, end, to_b) ||
         (std::any_of(a.link, end, to_switch) && std::any_of(b.link, b.link + b.links, to_switch));
}

/// A function about one link: 3 without any NVLink, 2 for a link beyond the last.
template <class Work>
Return with_link(Symbol symbol, Device device, Uint link, const void* out, Work work) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (call.gpu().links == 0) return abi::kNotSupported;
  if (link >= call.gpu().links) return abi::kInvalidArgument;
  return work(call, call.gpu().link[link]);
}

/// An NVSwitch as on the H100 boards; its device number is from pci.ids.
constexpr abi::PciInfo kSwitch{"0000:05:00.0", 0, 5, 0, 0x22a310deU, 0, "00000000:05:00.0"};

abi::PciInfo far_end(const Call& call, const NvLink& link) {
  const bool to_gpu = link.remote_type == 0 && link.remote_gpu < kMaxGpus;
  return to_gpu ? pci_info(call.state().gpus[link.remote_gpu]) : kSwitch;
}

/// Bits of processors or nodes, in words of the platform's long.
Return mask(const Call& call, Uint words, unsigned long* out, const std::uint64_t* bits, Uint have) {
  if (!out || words == 0) return abi::kInvalidArgument;
  std::fill_n(out, words, 0UL);
  std::copy_n(bits, std::min(words, have), out);
  return call.code();
}

Return gpus_where(const Call& call, Uint* count, Device* out, const auto& wanted) {
  if (!count) return abi::kInvalidArgument;
  Device found[kMaxGpus];
  Uint n = 0;
  for (int i = 0; i < enumeration().count; ++i) {
    const int slot = enumeration().slots[i];
    if (wanted(slot)) found[n++] = handle_of(slot);
  }
  if (*count == 0) return call.put(count, n);  // a question for the size
  if (!out) return abi::kInvalidArgument;
  *count = std::min(*count, n);
  std::copy_n(found, *count, out);
  return abi::kSuccess;
}

}  // namespace

NVML_API nvmlDeviceGetNvLinkState(Device device, Uint link, Uint* active) {
  return with_link(Symbol::nvmlDeviceGetNvLinkState, device, link, active,
                   [&](const Call& call, const NvLink& l) { return call.put(active, l.active); });
}
NVML_API nvmlDeviceGetNvLinkVersion(Device device, Uint link, Uint* version) {
  return with_link(Symbol::nvmlDeviceGetNvLinkVersion, device, link, version,
                   [&](const Call& call, const NvLink& l) { return call.put(version, l.version); });
}
NVML_API nvmlDeviceGetNvLinkCapability(Device device, Uint link, Uint capability, Uint* out) {
  if (capability > 5) return session() ? abi::kInvalidArgument : abi::kUninitialized;
  return with_link(Symbol::nvmlDeviceGetNvLinkCapability, device, link, out, [&](const Call& call, const NvLink& l) {
    constexpr Uint kSliBridge = 4;
    return call.put(out, l.active && capability != kSliBridge ? 1U : 0U);
  });
}
NVML_API nvmlDeviceGetNvLinkRemotePciInfo(Device device, Uint link, abi::PciInfo* out) {
  return with_link(Symbol::nvmlDeviceGetNvLinkRemotePciInfo, device, link, out, [&](const Call& call, const NvLink& l) {
    const abi::PciInfo info = far_end(call, l);
    call.copy(out, &info, offsetof(abi::PciInfo, bus_id));  // before _v2 the struct had no wide bus id
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, Uint link, abi::PciInfo* out) {
  return with_link(Symbol::nvmlDeviceGetNvLinkRemotePciInfo_v2, device, link, out,
                   [&](const Call& call, const NvLink& l) { return call.put(out, far_end(call, l)); });
}
NVML_API nvmlDeviceGetNvLinkRemoteDeviceType(Device device, Uint link, Uint* type) {
  return with_link(Symbol::nvmlDeviceGetNvLinkRemoteDeviceType, device, link, type,
                   [&](const Call& call, const NvLink& l) { return call.put(type, l.remote_type); });
}
NVML_API nvmlDeviceGetNvLinkErrorCounter(Device device, Uint link, Uint counter, Ullong* out) {
  if (counter > 4) return session() ? abi::kInvalidArgument : abi::kUninitialized;
  return with_link(Symbol::nvmlDeviceGetNvLinkErrorCounter, device, link, out,
                   [&](const Call& call, const NvLink& l) { return call.put(out, l.errors[counter]); });
}
NVML_API nvmlDeviceResetNvLinkErrorCounters(Device device, Uint link) {
  return with_link(Symbol::nvmlDeviceResetNvLinkErrorCounters, device, link, device,
                   [&](const Call& call, const NvLink&) {
                     if (!call.state().setters_permitted) return abi::kNoPermission;
                     std::fill_n(call.gpu().link[link].errors, 5, 0U);
                     return abi::kSuccess;
                   });
}
NVML_API nvmlDeviceGetNvLinkInfo(Device device, abi::NvLinkInfoV1* out) {
  const Call call(Symbol::nvmlDeviceGetNvLinkInfo, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  if (call.gpu().links == 0) return abi::kNotSupported;
  return call.put(out, {out->version, 0});
}

NVML_API nvmlDeviceGetTopologyCommonAncestor(Device one, Device other, Uint* level) {
  const Call call(Symbol::nvmlDeviceGetTopologyCommonAncestor, one);
  if (!call) return call.code();
  int slot = 0, mig = 0;
  if (!resolve(other, slot, mig)) return abi::kInvalidArgument;
  return call.put(level, common_ancestor(call.gpu(), call.state().gpus[slot]));
}
NVML_API nvmlDeviceGetTopologyNearestGpus(Device device, Uint level, Uint* count, Device* out) {
  const Call call(Symbol::nvmlDeviceGetTopologyNearestGpus, device);
  if (!call) return call.code();
  if (level > kSystem || level % 10 != 0) return abi::kInvalidArgument;
  return gpus_where(call, count, out, [&](int slot) {
    return slot != call.slot() && common_ancestor(call.gpu(), call.state().gpus[slot]) == level;
  });
}
NVML_API nvmlSystemGetTopologyGpuSet(Uint cpu, Uint* count, Device* out) {
  const Call call(Symbol::nvmlSystemGetTopologyGpuSet);
  if (!call) return call.code();
  if (cpu >= 256) return abi::kInvalidArgument;
  return gpus_where(call, count, out,
                    [&](int slot) { return (call.state().gpus[slot].cpu_affinity[cpu / 64] >> cpu % 64 & 1) != 0; });
}
NVML_API nvmlDeviceGetP2PStatus(Device one, Device other, Uint capability, Uint* status) {
  const Call call(Symbol::nvmlDeviceGetP2PStatus, one);
  if (!call) return call.code();
  int slot = 0, mig = 0;
  if (!resolve(other, slot, mig) || slot == call.slot() || capability > 4) return abi::kInvalidArgument;
  constexpr Uint kNvLink = 2, kOk = 0, kNotSupported = 5;
  const Gpu& far = call.state().gpus[slot];
  const bool by_pcie = common_ancestor(call.gpu(), far) <= kHostBridge;
  const bool works = linked(call.gpu(), far, slot) || (capability != kNvLink && by_pcie);
  return call.put(status, works ? kOk : kNotSupported);
}

NVML_API nvmlDeviceGetCpuAffinity(Device device, Uint words, unsigned long* out) {
  const Call call(Symbol::nvmlDeviceGetCpuAffinity, device);
  return call ? mask(call, words, out, call.gpu().cpu_affinity, 4) : call.code();
}
NVML_API nvmlDeviceGetCpuAffinityWithinScope(Device device, Uint words, unsigned long* out, Uint scope) {
  const Call call(Symbol::nvmlDeviceGetCpuAffinityWithinScope, device);
  if (!call) return call.code();
  return scope > 1 ? abi::kInvalidArgument : mask(call, words, out, call.gpu().cpu_affinity, 4);
}
NVML_API nvmlDeviceGetMemoryAffinity(Device device, Uint words, unsigned long* out, Uint scope) {
  const Call call(Symbol::nvmlDeviceGetMemoryAffinity, device);
  if (!call) return call.code();
  return scope > 1 ? abi::kInvalidArgument : mask(call, words, out, &call.gpu().memory_affinity, 1);
}

NVML_API nvmlDeviceGetGpuFabricInfo(Device device, abi::FabricInfo* out) {
  const Call call(Symbol::nvmlDeviceGetGpuFabricInfo, device);
  if (!call) return call.code();
  const Gpu& gpu = call.gpu();
  if (absent(gpu.fabric_state)) return abi::kNotSupported;
  abi::FabricInfo info{};
  std::memcpy(info.cluster, gpu.fabric_cluster, sizeof(info.cluster));
  info.status = static_cast<Return>(gpu.fabric_status);
  info.clique = gpu.fabric_clique;
  info.state = static_cast<unsigned char>(gpu.fabric_state);
  return call.put(out, info);
}
NVML_API nvmlDeviceGetGpuFabricInfoV(Device device, void* out) {
  const Call call(Symbol::nvmlDeviceGetGpuFabricInfoV, device);
  if (!call) return call.code();
  // The client's version word says which of two structs it brought; the second is the third's beginning.
  const bool second = call.check(static_cast<abi::FabricInfoV2*>(out), 2) == abi::kSuccess;
  const Return code = call.check(static_cast<abi::FabricInfoV3*>(out), 3);
  if (code != abi::kSuccess && !second) return code;
  const Gpu& gpu = call.gpu();
  if (absent(gpu.fabric_state)) return abi::kNotSupported;
  abi::FabricInfoV3 info{};
  info.version = *static_cast<Uint*>(out);
  std::memcpy(info.cluster, gpu.fabric_cluster, sizeof(info.cluster));
  info.status = static_cast<Return>(gpu.fabric_status);
  info.clique = gpu.fabric_clique;
  info.state = static_cast<unsigned char>(gpu.fabric_state);
  info.health_mask = gpu.fabric_health_mask;
  info.health_summary = static_cast<unsigned char>(gpu.fabric_health_summary);
  static_assert(offsetof(abi::FabricInfoV3, health_summary) == sizeof(abi::FabricInfoV2));
  call.copy(out, &info, second ? sizeof(abi::FabricInfoV2) : sizeof(abi::FabricInfoV3));
  return abi::kSuccess;
}
