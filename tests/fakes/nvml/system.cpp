// The driver and the machine: versions, names of processes, what this machine has none of.
#include <cstdio>
#include <cstring>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

/// The name of the process that the state gives it on any GPU; false when it names none.
bool scripted_name(const State& state, Uint pid, char (&out)[64]) {
  static thread_local Process processes[kMaxProcesses];
  for (int i = 0; i < enumeration().count; ++i) {
    const Uint count = copy_processes(state.gpus[enumeration().slots[i]], processes);
    for (Uint p = 0; p < count; ++p) {
      if (processes[p].pid != pid || processes[p].name[0] == '\0') continue;
      std::memcpy(out, processes[p].name, sizeof(out));
      out[sizeof(out) - 1] = '\0';
      return true;
    }
  }
  return false;
}

Return system_text(Symbol symbol, char* out, Uint length, const char* (*text)(const State&)) {
  const Call call(symbol);
  return call ? call.put_text(out, length, text(call.state())) : call.code();
}

template <class T>
Return system_value(Symbol symbol, T* out, const T& value) {
  const Call call(symbol);
  return call ? call.put(out, value) : call.code();
}

}  // namespace

// The texts that nvmlErrorString gives, as clients print them.
extern "C" [[gnu::visibility("default")]] const char* nvmlErrorString(Return code) {
  const Call call(Symbol::nvmlErrorString, true);
  switch (code) {
    case abi::kSuccess: return "Success";
    case abi::kUninitialized: return "Uninitialized";
    case abi::kInvalidArgument: return "Invalid Argument";
    case abi::kNotSupported: return "Not Supported";
    case abi::kNoPermission: return "Insufficient Permissions";
    case abi::kAlreadyInitialized: return "Already Initialized";
    case abi::kNotFound: return "Not Found";
    case abi::kInsufficientSize: return "Insufficient Size";
    case abi::kInsufficientPower: return "Insufficient External Power";
    case abi::kDriverNotLoaded: return "Driver Not Loaded";
    case abi::kTimeout: return "Timeout";
    case abi::kIrqIssue: return "Interrupt Request Issue";
    case abi::kLibraryNotFound: return "NVML Shared Library Not Found";
    case abi::kFunctionNotFound: return "Function Not Found";
    case abi::kCorruptedInforom: return "Corrupted infoROM";
    case abi::kGpuIsLost: return "GPU is lost";
    case abi::kResetRequired: return "GPU requires reset";
    case abi::kOperatingSystem: return "GPU access blocked by the operating system";
    case abi::kLibRmVersionMismatch: return "Driver/library version mismatch";
    case abi::kInUse: return "In use by another client";
    case abi::kMemory: return "Insufficient Memory";
    case abi::kNoData: return "No data";
    case abi::kVgpuEccNotSupported: return "Requested vGPU operation is not available because ECC is enabled";
    case abi::kInsufficientResources: return "Insufficient Resources";
    case abi::kFreqNotSupported: return "Frequency Not Supported";
    case abi::kArgumentVersionMismatch: return "Argument Version Mismatch";
    case abi::kDeprecated: return "Deprecated";
    case abi::kNotReady: return "Not Ready";
    case abi::kGpuNotFound: return "No GPUs were found";
    case abi::kInvalidState: return "Invalid State";
    case abi::kResetTypeNotSupported: return "Reset Type Not Supported";
    case abi::kUnknown: break;
  }
  return "Unknown Error";
}

NVML_API nvmlSystemGetDriverVersion(char* version, Uint length) {
  return system_text(Symbol::nvmlSystemGetDriverVersion, version, length,
                     [](const State& s) { return s.driver_version; });
}
NVML_API nvmlSystemGetNVMLVersion(char* version, Uint length) {
  return system_text(Symbol::nvmlSystemGetNVMLVersion, version, length, [](const State& s) { return s.nvml_version; });
}
NVML_API nvmlSystemGetCudaDriverVersion(int* version) {
  const Call call(Symbol::nvmlSystemGetCudaDriverVersion);
  return call ? call.put(version, static_cast<int>(call.state().cuda_version)) : call.code();
}
NVML_API nvmlSystemGetCudaDriverVersion_v2(int* version) {
  const Call call(Symbol::nvmlSystemGetCudaDriverVersion_v2);
  return call ? call.put(version, static_cast<int>(call.state().cuda_version)) : call.code();
}

NVML_API nvmlSystemGetDriverBranch(abi::DriverBranch* info, Uint length) {
  const Call call(Symbol::nvmlSystemGetDriverBranch);
  if (!call) return call.code();
  if (const Return code = call.check(info, 1)) return code;
  return call.put_text(info->branch, length, call.state().driver_branch);
}

NVML_API nvmlSystemGetProcessName(Uint pid, char* name, Uint length) {
  const Call call(Symbol::nvmlSystemGetProcessName);
  if (!call) return call.code();
  if (!name || length == 0) return abi::kInvalidArgument;
  char text[64] = {};
  if (!scripted_name(call.state(), pid, text)) {
    char path[32];
    std::snprintf(path, sizeof(path), "/proc/%u/comm", pid);
    FILE* file = std::fopen(path, "re");
    if (!file) return abi::kNotFound;
    const std::size_t size = std::fread(text, 1, sizeof(text) - 1, file);
    std::fclose(file);
    if (size != 0 && text[size - 1] == '\n') text[size - 1] = '\0';
  }
  return call.put_text(name, length, text);
}

NVML_API nvmlSystemGetHicVersion(Uint* count, abi::HicEntry*) {
  return system_value(Symbol::nvmlSystemGetHicVersion, count, 0U);  // host interface cards belong to S-class units
}
NVML_API nvmlUnitGetCount(Uint* count) {
  return system_value(Symbol::nvmlUnitGetCount, count, 0U);
}
NVML_API nvmlGetExcludedDeviceCount(Uint* count) {
  return system_value(Symbol::nvmlGetExcludedDeviceCount, count, 0U);
}

NVML_API nvmlSystemGetConfComputeCapabilities(abi::ConfComputeCapabilities* capabilities) {
  const Call call(Symbol::nvmlSystemGetConfComputeCapabilities);
  if (!call) return call.code();
  const Uint on = call.state().cc_state;
  return call.put(capabilities, {on, on});
}
NVML_API nvmlSystemGetConfComputeState(abi::ConfComputeState* out) {
  const Call call(Symbol::nvmlSystemGetConfComputeState);
  if (!call) return call.code();
  return call.put(out, {0, call.state().cc_state, 0});
}
