#include "backend/nvml/library.hpp"

#include <dlfcn.h>

#include <array>
#include <initializer_list>

#include <fmt/format.h>

namespace gpukeeper::nvml {
namespace {

// WSL keeps the library outside the loader's path (monitoring research 3a). Plain "libnvidia-ml.so" is only in
// development packages, and may be a stub.
constexpr std::array kUsualPlaces = {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};

template <class F>
void bind(void* library, F& function, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    function = reinterpret_cast<F>(dlsym(library, name));
    if (function) return;
  }
}

void bind_processes(void* library, Library::ProcessList& list, const std::string& name, bool long_entries) {
  list.entry_size = sizeof(abi::ProcessInfo2);
  bind(library, list.function, {(name + "_v3").c_str()});
  if (list.function) {
    if (long_entries) list.entry_size = sizeof(abi::ProcessDetail);
    return;
  }
  bind(library, list.function, {(name + "_v2").c_str()});
  if (list.function) return;
  bind(library, list.function, {name.c_str()});
  list.entry_size = sizeof(abi::ProcessInfo1);
}

void bind_all(void* so, Library& table) {
  bind(so, table.init, {"nvmlInit_v2", "nvmlInit"});
  bind(so, table.shutdown, {"nvmlShutdown"});
  bind(so, table.count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
  bind(so, table.handle_by_index, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});

  bind(so, table.driver_version, {"nvmlSystemGetDriverVersion"});
  bind(so, table.library_version, {"nvmlSystemGetNVMLVersion"});
  bind(so, table.cuda_driver_version, {"nvmlSystemGetCudaDriverVersion"});

  bind(so, table.name, {"nvmlDeviceGetName"});
  bind(so, table.uuid, {"nvmlDeviceGetUUID"});
  bind(so, table.serial, {"nvmlDeviceGetSerial"});
  bind(so, table.vbios_version, {"nvmlDeviceGetVbiosVersion"});
  bind(so, table.board_part_number, {"nvmlDeviceGetBoardPartNumber"});
  bind(so, table.pci_info, {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"});
  bind(so, table.minor_number, {"nvmlDeviceGetMinorNumber"});
  bind(so, table.architecture, {"nvmlDeviceGetArchitecture"});
  bind(so, table.compute_capability, {"nvmlDeviceGetCudaComputeCapability"});
  bind(so, table.cpu_affinity, {"nvmlDeviceGetCpuAffinity"});

  bind(so, table.field_values, {"nvmlDeviceGetFieldValues"});
  bind(so, table.temperature, {"nvmlDeviceGetTemperature"});
  bind(so, table.temperature_versioned, {"nvmlDeviceGetTemperatureV"});
  bind(so, table.temperature_threshold, {"nvmlDeviceGetTemperatureThreshold"});
  bind(so, table.margin_temperature, {"nvmlDeviceGetMarginTemperature"});
  bind(so, table.fan_speed, {"nvmlDeviceGetFanSpeed"});
  bind(so, table.fan_rpm, {"nvmlDeviceGetFanSpeedRPM"});
  bind(so, table.utilization, {"nvmlDeviceGetUtilizationRates"});
  bind(so, table.encoder, {"nvmlDeviceGetEncoderUtilization"});
  bind(so, table.decoder, {"nvmlDeviceGetDecoderUtilization"});
  bind(so, table.jpeg, {"nvmlDeviceGetJpgUtilization"});
  bind(so, table.ofa, {"nvmlDeviceGetOfaUtilization"});
  bind(so, table.memory, {"nvmlDeviceGetMemoryInfo"});
  bind(so, table.memory2, {"nvmlDeviceGetMemoryInfo_v2"});
  bind(so, table.bar1, {"nvmlDeviceGetBAR1MemoryInfo"});
  bind(so, table.power_usage, {"nvmlDeviceGetPowerUsage"});
  bind(so, table.enforced_power_limit, {"nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit"});
  bind(so, table.default_power_limit, {"nvmlDeviceGetPowerManagementDefaultLimit"});
  bind(so, table.power_limit_range, {"nvmlDeviceGetPowerManagementLimitConstraints"});
  bind(so, table.energy, {"nvmlDeviceGetTotalEnergyConsumption"});
  bind(so, table.clock, {"nvmlDeviceGetClockInfo"});
  bind(so, table.max_clock, {"nvmlDeviceGetMaxClockInfo"});
  bind(so, table.performance_state, {"nvmlDeviceGetPerformanceState", "nvmlDeviceGetPowerState"});
  bind(so, table.clock_event_reasons,
       {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
  bind(so, table.pcie_generation, {"nvmlDeviceGetCurrPcieLinkGeneration"});
  bind(so, table.pcie_generation_max, {"nvmlDeviceGetMaxPcieLinkGeneration"});
  bind(so, table.pcie_width, {"nvmlDeviceGetCurrPcieLinkWidth"});
  bind(so, table.pcie_width_max, {"nvmlDeviceGetMaxPcieLinkWidth"});
  bind(so, table.pcie_replays, {"nvmlDeviceGetPcieReplayCounter"});
  bind(so, table.ecc_mode, {"nvmlDeviceGetEccMode"});
  bind(so, table.ecc_errors, {"nvmlDeviceGetTotalEccErrors"});
  bind(so, table.retired_pages, {"nvmlDeviceGetRetiredPages"});
  bind(so, table.retired_pages_pending, {"nvmlDeviceGetRetiredPagesPendingStatus"});
  bind(so, table.remapped_rows, {"nvmlDeviceGetRemappedRows"});
  bind(so, table.persistence_mode, {"nvmlDeviceGetPersistenceMode"});
  bind(so, table.compute_mode, {"nvmlDeviceGetComputeMode"});
  bind(so, table.nvlink_state, {"nvmlDeviceGetNvLinkState"});
  bind(so, table.nvlink_remote_pci, {"nvmlDeviceGetNvLinkRemotePciInfo_v2", "nvmlDeviceGetNvLinkRemotePciInfo"});
  bind(so, table.nvlink_remote_type, {"nvmlDeviceGetNvLinkRemoteDeviceType"});

  bind(so, table.mig_mode, {"nvmlDeviceGetMigMode"});
  bind(so, table.mig_count_max, {"nvmlDeviceGetMaxMigDeviceCount"});
  bind(so, table.mig_handle, {"nvmlDeviceGetMigDeviceHandleByIndex"});
  bind(so, table.gpu_instance_id, {"nvmlDeviceGetGpuInstanceId"});
  bind(so, table.compute_instance_id, {"nvmlDeviceGetComputeInstanceId"});
  bind(so, table.attributes, {"nvmlDeviceGetAttributes_v2", "nvmlDeviceGetAttributes"});

  bind(so, table.process_details, {"nvmlDeviceGetRunningProcessDetailList"});
  // Drivers 535.43 to 535.86 wrote the detailed entry through _v3. They are those that know confidential computing but
  // not yet the detailed list (monitoring research 3a, after nvitop).
  const bool long_entries = dlsym(so, "nvmlDeviceGetConfComputeMemSizeInfo") && !table.process_details;
  bind_processes(so, table.compute_processes, "nvmlDeviceGetComputeRunningProcesses", long_entries);
  bind_processes(so, table.graphics_processes, "nvmlDeviceGetGraphicsRunningProcesses", long_entries);
  bind_processes(so, table.mps_processes, "nvmlDeviceGetMPSComputeRunningProcesses", long_entries);
  bind(so, table.process_utilization, {"nvmlDeviceGetProcessUtilization"});

  bind(so, table.event_set_create, {"nvmlEventSetCreate"});
  bind(so, table.event_set_free, {"nvmlEventSetFree"});
  bind(so, table.register_events, {"nvmlDeviceRegisterEvents"});
  bind(so, table.event_set_wait, {"nvmlEventSetWait_v2", "nvmlEventSetWait"});

  bind(so, table.handle_by_uuid, {"nvmlDeviceGetHandleByUUID"});
  bind(so, table.power_limit, {"nvmlDeviceGetPowerManagementLimit"});
  bind(so, table.set_power_limit, {"nvmlDeviceSetPowerManagementLimit"});
  bind(so, table.set_locked_clocks, {"nvmlDeviceSetGpuLockedClocks"});
  bind(so, table.reset_locked_clocks, {"nvmlDeviceResetGpuLockedClocks"});
  bind(so, table.fan_count, {"nvmlDeviceGetNumFans"});
  bind(so, table.fan_speed_of, {"nvmlDeviceGetFanSpeed_v2"});
  bind(so, table.fan_policy, {"nvmlDeviceGetFanControlPolicy_v2"});
  bind(so, table.fan_range, {"nvmlDeviceGetMinMaxFanSpeed"});
  bind(so, table.set_fan_speed, {"nvmlDeviceSetFanSpeed_v2"});
  bind(so, table.reset_fan_speed, {"nvmlDeviceSetDefaultFanSpeed_v2"});
}

std::string last_loader_error() {
  const char* text = dlerror();
  return text ? text : "unknown loader error";
}

}  // namespace

Result<std::shared_ptr<const Library>> load_library(const std::string& path) {
  void* so = nullptr;
  std::string why;
  if (!path.empty()) {
    so = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!so) return fail(Errc::unavailable, fmt::format("cannot load {}: {}", path, last_loader_error()));
  } else {
    for (const char* place : kUsualPlaces) {
      so = dlopen(place, RTLD_NOW | RTLD_LOCAL);
      if (so) break;
      if (why.empty()) why = last_loader_error();
    }
    if (!so) {
      return fail(Errc::unavailable,
                  fmt::format("NVIDIA's management library cannot be loaded ({}); install the NVIDIA driver (Debian: "
                              "nvidia-driver, or libnvidia-ml1 in a container started without --gpus)",
                              why));
    }
  }
  auto table = std::make_shared<Library>();
  table->keeps_loaded = std::shared_ptr<void>(so, [](void* handle) { dlclose(handle); });
  bind_all(so, *table);
  if (!table->init || !table->count || !table->handle_by_index) {
    return fail(Errc::unavailable, fmt::format("{} is not NVIDIA's management library, or an unusable one: it lacks {}",
                                               path.empty() ? kUsualPlaces[0] : path.c_str(),
                                               !table->init    ? "nvmlInit"
                                               : !table->count ? "nvmlDeviceGetCount"
                                                               : "nvmlDeviceGetHandleByIndex"));
  }
  return std::shared_ptr<const Library>(std::move(table));
}

}  // namespace gpukeeper::nvml
