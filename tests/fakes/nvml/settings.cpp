// What a client may change: power limit, clocks, fans, modes. The state shows the change, as the real GPU would.
#include <algorithm>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

/// A change of one GPU: 4 for a user who may not.
template <class Work>
Return change(Symbol symbol, Device device, Work work) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!call.state().setters_permitted) return abi::kNoPermission;
  return work(call.gpu());
}

Return lock(Uint (&locked)[2], Uint low, Uint high) {
  if (low > high || high == 0) return abi::kInvalidArgument;
  locked[0] = low;
  locked[1] = high;
  return abi::kSuccess;
}

Return unlock(Uint (&locked)[2]) {
  locked[0] = locked[1] = 0;
  return abi::kSuccess;
}

}  // namespace

NVML_API nvmlDeviceSetPersistenceMode(Device device, Uint mode) {
  return change(Symbol::nvmlDeviceSetPersistenceMode, device, [&](Gpu& gpu) {
    if (mode > 1) return abi::kInvalidArgument;
    gpu.persistence_mode = mode;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceSetComputeMode(Device device, Uint mode) {
  return change(Symbol::nvmlDeviceSetComputeMode, device, [&](Gpu& gpu) {
    if (mode > 3) return abi::kInvalidArgument;
    gpu.compute_mode = mode;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceSetPowerManagementLimit(Device device, Uint milliwatts) {
  return change(Symbol::nvmlDeviceSetPowerManagementLimit, device, [&](Gpu& gpu) {
    if (absent(gpu.power_limit_mw)) return abi::kNotSupported;
    if (milliwatts < gpu.power_limit_min_mw || milliwatts > gpu.power_limit_max_mw) return abi::kInvalidArgument;
    gpu.power_limit_mw = gpu.power_limit_enforced_mw = milliwatts;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceSetGpuLockedClocks(Device device, Uint low, Uint high) {
  return change(Symbol::nvmlDeviceSetGpuLockedClocks, device,
                [&](Gpu& gpu) { return lock(gpu.locked_gpu_clocks, low, high); });
}
NVML_API nvmlDeviceResetGpuLockedClocks(Device device) {
  return change(Symbol::nvmlDeviceResetGpuLockedClocks, device,
                [&](Gpu& gpu) { return unlock(gpu.locked_gpu_clocks); });
}
NVML_API nvmlDeviceSetMemoryLockedClocks(Device device, Uint low, Uint high) {
  return change(Symbol::nvmlDeviceSetMemoryLockedClocks, device,
                [&](Gpu& gpu) { return lock(gpu.locked_memory_clocks, low, high); });
}
NVML_API nvmlDeviceResetMemoryLockedClocks(Device device) {
  return change(Symbol::nvmlDeviceResetMemoryLockedClocks, device,
                [&](Gpu& gpu) { return unlock(gpu.locked_memory_clocks); });
}
NVML_API nvmlDeviceSetApplicationsClocks(Device device, Uint memory_mhz, Uint graphics_mhz) {
  return change(Symbol::nvmlDeviceSetApplicationsClocks, device, [&](Gpu& gpu) {
    if (absent(gpu.clocks_app[0])) return abi::kNotSupported;
    if (memory_mhz != gpu.clocks_max[2] || graphics_mhz == 0 || graphics_mhz > gpu.clocks_max[0])
      return abi::kInvalidArgument;
    gpu.clocks_app[0] = gpu.clocks_app[1] = graphics_mhz;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceResetApplicationsClocks(Device device) {
  return change(Symbol::nvmlDeviceResetApplicationsClocks, device, [&](Gpu& gpu) {
    if (absent(gpu.clocks_app[0])) return abi::kNotSupported;
    std::copy(std::begin(gpu.clocks_app_default), std::end(gpu.clocks_app_default), gpu.clocks_app);
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceSetFanSpeed_v2(Device device, Uint fan, Uint percent) {
  return change(Symbol::nvmlDeviceSetFanSpeed_v2, device, [&](Gpu& gpu) {
    if (gpu.fans == 0) return abi::kNotSupported;
    if (fan >= gpu.fans || percent > 100) return abi::kInvalidArgument;
    gpu.fan_percent[fan] = gpu.fan_target[fan] = percent;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceSetDefaultFanSpeed_v2(Device device, Uint fan) {
  return change(Symbol::nvmlDeviceSetDefaultFanSpeed_v2, device, [&](Gpu& gpu) {
    if (gpu.fans == 0) return abi::kNotSupported;
    if (fan >= gpu.fans) return abi::kInvalidArgument;
    gpu.fan_target[fan] = 0;
    return abi::kSuccess;
  });
}
NVML_API nvmlDeviceGetFanControlPolicy_v2(Device device, Uint fan, Uint* policy) {
  const Call call(Symbol::nvmlDeviceGetFanControlPolicy_v2, device);
  if (!call) return call.code();
  if (call.gpu().fans == 0) return abi::kNotSupported;
  if (fan >= call.gpu().fans) return abi::kInvalidArgument;
  return call.put(policy, call.gpu().fan_target[fan] != 0 ? 1U : 0U);  // by hand, or by temperature
}
