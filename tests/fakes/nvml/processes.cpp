// Who uses a GPU: the three lists of processes, their utilization, and accounting.
#include <algorithm>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

/// The processes of one handle and kind: a MIG handle sees those of its own instance only.
struct Selected {
  Process processes[kMaxProcesses];
  Uint count = 0;

  Selected(const Call& call, std::uint32_t kinds) {
    const Uint all = copy_processes(call.gpu(), processes);
    const MigInstance* mig = call.mig();
    const auto* end = std::copy_if(processes, processes + all, processes, [&](const Process& p) {
      if ((p.kinds & kinds) == 0) return false;
      return !mig || (p.gpu_instance == mig->gpu_instance && p.compute_instance == mig->compute_instance);
    });
    count = static_cast<Uint>(end - processes);
  }
  const Process* begin() const { return processes; }
  const Process* end() const { return processes + count; }
};

template <class Entry, class Make>
Return list(Symbol symbol, Device device, std::uint32_t kinds, Uint* count, Entry* out, Make make) {
  const Call call(symbol, device, MigHandle::yes);
  if (!call) return call.code();
  const Selected selected(call, kinds);
  Entry entries[kMaxProcesses];
  std::transform(selected.begin(), selected.end(), entries, make);
  return put_list(call, entries, selected.count, count, out);
}

abi::ProcessInfoV1 v1_entry(const Process& p) {
  return {p.pid, p.memory_bytes};
}
abi::ProcessInfoV2 v2_entry(const Process& p) {
  return {p.pid, p.memory_bytes, p.gpu_instance, p.compute_instance};
}
abi::ProcessDetail detail_entry(const Process& p) {
  return {p.pid, p.memory_bytes, p.gpu_instance, p.compute_instance, p.protected_memory_bytes};
}

Return list_v1(Symbol symbol, Device device, std::uint32_t kinds, Uint* count, abi::ProcessInfoV1* out) {
  return list(symbol, device, kinds, count, out, v1_entry);
}
Return list_v2(Symbol symbol, Device device, std::uint32_t kinds, Uint* count, abi::ProcessInfoV2* out) {
  return list(symbol, device, kinds, count, out, v2_entry);
}
/// The drivers 535.43 to 535.86 wrote entries of 32 bytes here, into the same client buffers.
Return list_v3(Symbol symbol, Device device, std::uint32_t kinds, Uint* count, abi::ProcessInfoV2* out) {
  const State* state = session();
  if (!state || state->process_entry_bytes != sizeof(abi::ProcessDetail))
    return list_v2(symbol, device, kinds, count, out);
  return list(symbol, device, kinds, count, reinterpret_cast<abi::ProcessDetail*>(out), detail_entry);
}

bool busy(const Process& p) {
  return (p.sm | p.memory | p.encoder | p.decoder | p.jpeg | p.ofa) != 0;
}

/// When a process' utilization was sampled: the driver does so about six times a second.
Ullong sample_time(const Process& p) {
  constexpr Ullong kPeriodUs = 166'667;
  return p.sample_time_us != 0 ? p.sample_time_us : wall_us() / kPeriodUs * kPeriodUs;
}

/// Utilization samples newer than `last_seen`: 6 when there are none, 7 with their number when the room is too small.
template <class Entry, class Make>
Return samples(const Call& call, Ullong last_seen, Uint* count, Entry* out, Make make) {
  if (call.mig_on()) return abi::kNotSupported;
  const Selected selected(call, kCompute | kGraphics | kMps);
  Entry entries[kMaxProcesses];
  Uint n = 0;
  for (const Process& p : selected) {
    const Ullong at = sample_time(p);
    if (busy(p) && at > last_seen) entries[n++] = make(p, at);
  }
  if (n == 0) {
    *count = 0;
    return abi::kNotFound;
  }
  if (!out) *count = 0;  // a question for the size
  return put_list(call, entries, n, count, out);
}

}  // namespace

NVML_API nvmlDeviceGetComputeRunningProcesses(Device device, Uint* count, abi::ProcessInfoV1* out) {
  return list_v1(Symbol::nvmlDeviceGetComputeRunningProcesses, device, kCompute, count, out);
}
NVML_API nvmlDeviceGetComputeRunningProcesses_v2(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v2(Symbol::nvmlDeviceGetComputeRunningProcesses_v2, device, kCompute, count, out);
}
NVML_API nvmlDeviceGetComputeRunningProcesses_v3(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v3(Symbol::nvmlDeviceGetComputeRunningProcesses_v3, device, kCompute, count, out);
}
NVML_API nvmlDeviceGetGraphicsRunningProcesses(Device device, Uint* count, abi::ProcessInfoV1* out) {
  return list_v1(Symbol::nvmlDeviceGetGraphicsRunningProcesses, device, kGraphics, count, out);
}
NVML_API nvmlDeviceGetGraphicsRunningProcesses_v2(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v2(Symbol::nvmlDeviceGetGraphicsRunningProcesses_v2, device, kGraphics, count, out);
}
NVML_API nvmlDeviceGetGraphicsRunningProcesses_v3(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v3(Symbol::nvmlDeviceGetGraphicsRunningProcesses_v3, device, kGraphics, count, out);
}
NVML_API nvmlDeviceGetMPSComputeRunningProcesses(Device device, Uint* count, abi::ProcessInfoV1* out) {
  return list_v1(Symbol::nvmlDeviceGetMPSComputeRunningProcesses, device, kMps, count, out);
}
NVML_API nvmlDeviceGetMPSComputeRunningProcesses_v2(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v2(Symbol::nvmlDeviceGetMPSComputeRunningProcesses_v2, device, kMps, count, out);
}
NVML_API nvmlDeviceGetMPSComputeRunningProcesses_v3(Device device, Uint* count, abi::ProcessInfoV2* out) {
  return list_v3(Symbol::nvmlDeviceGetMPSComputeRunningProcesses_v3, device, kMps, count, out);
}

NVML_API nvmlDeviceGetRunningProcessDetailList(Device device, abi::ProcessDetailList* out) {
  const Call call(Symbol::nvmlDeviceGetRunningProcessDetailList, device, MigHandle::yes);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  constexpr std::uint32_t kKinds[] = {kCompute, kGraphics, kMps, kCompute | kGraphics | kMps};
  if (out->mode >= std::size(kKinds)) return abi::kInvalidArgument;
  const Selected selected(call, kKinds[out->mode]);
  abi::ProcessDetail entries[kMaxProcesses];
  std::transform(selected.begin(), selected.end(), entries, detail_entry);
  return put_list(call, entries, selected.count, &out->count, out->entries);
}

NVML_API nvmlDeviceGetProcessUtilization(Device device, abi::ProcessUtilizationSample* out, Uint* count,
                                         Ullong last_seen) {
  const Call call(Symbol::nvmlDeviceGetProcessUtilization, device);
  if (!call) return call.code();
  if (!count) return abi::kInvalidArgument;
  return samples(call, last_seen, count, out, [](const Process& p, Ullong at) {
    return abi::ProcessUtilizationSample{p.pid, at, p.sm, p.memory, p.encoder, p.decoder};
  });
}

NVML_API nvmlDeviceGetProcessesUtilizationInfo(Device device, abi::ProcessesUtilizationInfo* out) {
  const Call call(Symbol::nvmlDeviceGetProcessesUtilizationInfo, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  return samples(call, out->last_seen, &out->count, out->entries, [](const Process& p, Ullong at) {
    return abi::ProcessUtilizationInfo{at, p.pid, p.sm, p.memory, p.encoder, p.decoder, p.jpeg, p.ofa};
  });
}

NVML_READ(nvmlDeviceGetAccountingMode, Uint, gpu.mig_mode == 1 ? 0U : gpu.accounting_mode)
NVML_READ(nvmlDeviceGetAccountingBufferSize, Uint, 4000U)

NVML_API nvmlDeviceGetAccountingPids(Device device, Uint* count, Uint* pids) {
  const Call call(Symbol::nvmlDeviceGetAccountingPids, device);
  if (!call) return call.code();
  if (!call.gpu().accounting_mode) return abi::kNotSupported;
  const Selected selected(call, kCompute | kMps);
  Uint found[kMaxProcesses];
  std::transform(selected.begin(), selected.end(), found, [](const Process& p) { return p.pid; });
  return put_list(call, found, selected.count, count, pids);
}
NVML_API nvmlDeviceGetAccountingStats(Device device, Uint pid, abi::AccountingStats* out) {
  const Call call(Symbol::nvmlDeviceGetAccountingStats, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (!call.gpu().accounting_mode) return abi::kNotSupported;
  const Selected selected(call, kCompute | kMps);
  const auto* p = std::find_if(selected.begin(), selected.end(), [&](const Process& at) { return at.pid == pid; });
  if (p == selected.end()) return abi::kNotFound;
  return call.put(out, {p->sm, p->memory, p->memory_bytes, 0, p->started_us, 1, {}});  // a running process has time 0
}
NVML_API nvmlDeviceSetAccountingMode(Device device, Uint mode) {
  const Call call(Symbol::nvmlDeviceSetAccountingMode, device);
  if (!call) return call.code();
  if (mode > 1) return abi::kInvalidArgument;
  if (!call.state().setters_permitted) return abi::kNoPermission;
  if (call.mig_on()) return abi::kNotSupported;
  call.gpu().accounting_mode = mode;
  return abi::kSuccess;
}
NVML_API nvmlDeviceClearAccountingPids(Device device) {
  const Call call(Symbol::nvmlDeviceClearAccountingPids, device);
  if (!call) return call.code();
  if (!call.state().setters_permitted) return abi::kNoPermission;
  return abi::kSuccess;  // only processes that have ended are forgotten, and the state holds running ones
}
