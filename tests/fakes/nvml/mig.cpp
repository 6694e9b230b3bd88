// Partitions of a GPU: MIG instances and their handles.
#include <algorithm>

#include "fakes/nvml/library.hpp"

namespace gpukeeper::fake_nvml::abi {
/// What a GPU instance's handle points to; only its address counts.
struct GpuInstanceObject {
  std::uint8_t slot = 0;
  std::uint8_t mig = 0;
};
}  // namespace gpukeeper::fake_nvml::abi

using namespace gpukeeper::fake_nvml;

namespace {

abi::GpuInstanceObject instances[kMaxGpus][kMaxMigInstances];

abi::GpuInstance instance_handle(int slot, int mig) {
  auto& instance = instances[slot][mig];
  instance = {static_cast<std::uint8_t>(slot), static_cast<std::uint8_t>(mig)};
  return &instance;
}

Return instance_id(Symbol symbol, Device device, Uint* id, Uint (*get)(const MigInstance&)) {
  const Call call(symbol, device, MigHandle::yes);
  if (!call) return call.code();
  if (!call.mig()) return abi::kInvalidArgument;  // only the handle of a MIG instance has one
  return call.put(id, get(*call.mig()));
}

Return attributes(Symbol symbol, Device device, abi::DeviceAttributes* out) {
  const Call call(symbol, device, MigHandle::yes);
  if (!call) return call.code();
  const MigInstance* mig = call.mig();
  if (!mig) return abi::kNotSupported;  // nvml.h: MIG handles only
  constexpr Ullong kMib = 1024 * 1024;
  return call.put(out, {mig->multiprocessors, mig->copy_engines, mig->decoders, mig->encoders, mig->jpegs, mig->ofas,
                        mig->slices, mig->compute_slices, mig->memory_total / kMib});
}

}  // namespace

NVML_API nvmlDeviceGetMaxMigDeviceCount(Device device, Uint* count) {
  const Call call(Symbol::nvmlDeviceGetMaxMigDeviceCount, device);
  return call ? call.put(count, absent(call.gpu().mig_mode) ? 0U : 7U) : call.code();
}
NVML_API nvmlDeviceGetMigDeviceHandleByIndex(Device device, Uint index, Device* out) {
  const Call call(Symbol::nvmlDeviceGetMigDeviceHandleByIndex, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (absent(call.gpu().mig_mode)) return abi::kNotSupported;
  if (index >= kMaxMigInstances) return abi::kInvalidArgument;
  if (!call.mig_on() || !call.gpu().mig[index].present) return abi::kNotFound;
  *out = handle_of(call.slot(), static_cast<int>(index));
  return abi::kSuccess;
}
NVML_API nvmlDeviceIsMigDeviceHandle(Device device, Uint* is_mig) {
  const Call call(Symbol::nvmlDeviceIsMigDeviceHandle, device, MigHandle::yes);
  return call ? call.put(is_mig, call.mig() ? 1U : 0U) : call.code();
}
NVML_API nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device mig, Device* out) {
  const Call call(Symbol::nvmlDeviceGetDeviceHandleFromMigDeviceHandle, mig, MigHandle::yes);
  if (!call) return call.code();
  if (!out || !call.mig()) return abi::kInvalidArgument;
  *out = handle_of(call.slot());
  return abi::kSuccess;
}
NVML_API nvmlDeviceGetGpuInstanceId(Device device, Uint* id) {
  return instance_id(Symbol::nvmlDeviceGetGpuInstanceId, device, id,
                     [](const MigInstance& mig) { return mig.gpu_instance; });
}
NVML_API nvmlDeviceGetComputeInstanceId(Device device, Uint* id) {
  return instance_id(Symbol::nvmlDeviceGetComputeInstanceId, device, id,
                     [](const MigInstance& mig) { return mig.compute_instance; });
}
NVML_API nvmlDeviceGetAttributes(Device device, abi::DeviceAttributes* out) {
  return attributes(Symbol::nvmlDeviceGetAttributes, device, out);
}
NVML_API nvmlDeviceGetAttributes_v2(Device device, abi::DeviceAttributes* out) {
  return attributes(Symbol::nvmlDeviceGetAttributes_v2, device, out);
}

NVML_API nvmlDeviceGetGpuInstances(Device device, Uint profile, abi::GpuInstance* out, Uint* count) {
  const Call call(Symbol::nvmlDeviceGetGpuInstances, device);
  if (!call) return call.code();
  if (!out || !count) return abi::kInvalidArgument;
  if (!call.mig_on()) return abi::kNotSupported;
  Uint n = 0;
  for (int i = 0; i < kMaxMigInstances; ++i) {
    const MigInstance& mig = call.gpu().mig[i];
    if (mig.present && mig.profile == profile) out[n++] = instance_handle(call.slot(), i);
  }
  return call.put(count, n);
}
NVML_API nvmlDeviceGetGpuInstanceById(Device device, Uint id, abi::GpuInstance* out) {
  const Call call(Symbol::nvmlDeviceGetGpuInstanceById, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (!call.mig_on()) return abi::kNotSupported;
  for (int i = 0; i < kMaxMigInstances; ++i) {
    const MigInstance& mig = call.gpu().mig[i];
    if (!mig.present || mig.gpu_instance != id) continue;
    *out = instance_handle(call.slot(), i);
    return abi::kSuccess;
  }
  return abi::kNotFound;
}
NVML_API nvmlGpuInstanceGetInfo(abi::GpuInstance instance, abi::GpuInstanceInfo* out) {
  const auto offset = reinterpret_cast<std::uintptr_t>(instance) - reinterpret_cast<std::uintptr_t>(&instances[0][0]);
  const bool ours = offset < sizeof(instances) && offset % sizeof(abi::GpuInstanceObject) == 0;
  const Call call(Symbol::nvmlGpuInstanceGetInfo, ours ? handle_of(instance->slot) : nullptr);
  if (!call) return call.code();
  const MigInstance& mig = call.gpu().mig[instance->mig];
  if (!mig.present) return abi::kInvalidArgument;
  return call.put(out,
                  {handle_of(call.slot()), mig.gpu_instance, mig.profile, {mig.placement_start, mig.placement_size}});
}
NVML_API nvmlDeviceSetMigMode(Device device, Uint mode, Return* activation) {
  const Call call(Symbol::nvmlDeviceSetMigMode, device);
  if (!call) return call.code();
  if (!activation || mode > 1) return abi::kInvalidArgument;
  if (absent(call.gpu().mig_mode)) return abi::kNotSupported;
  if (!call.state().setters_permitted) return abi::kNoPermission;
  call.gpu().mig_mode_pending = mode;
  if (call.gpu().process_count != 0) return call.put(activation, abi::kInUse);
  call.gpu().mig_mode = mode;
  return call.put(activation, abi::kSuccess);
}
