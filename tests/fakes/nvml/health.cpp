// What is broken in a GPU: ECC errors, retired pages, remapped rows, repairs.
#include <algorithm>
#include <numeric>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

bool ecc_on(const Gpu& gpu) {
  return gpu.ecc_mode == 1;
}

Return retired(Symbol symbol, Device device, Uint cause, Uint* count, Ullong* addresses, Ullong* times) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (cause > 1 || !count) return abi::kInvalidArgument;
  const Gpu& gpu = call.gpu();
  if (!gpu.retired_pages_supported) return abi::kNotSupported;
  const Uint n = std::min<Uint>(gpu.retired_count[cause], kMaxRetiredPages);
  Ullong found[kMaxRetiredPages];
  std::copy_n(gpu.retired_address[cause], n, found);
  const Return code = put_list(call, found, n, count, addresses);
  if (code == abi::kSuccess && times) std::copy_n(gpu.retired_time_us[cause], n, times);
  return code;
}

}  // namespace

NVML_API nvmlDeviceGetTotalEccErrors(Device device, Uint error, Uint counter, Ullong* out) {
  const Call call(Symbol::nvmlDeviceGetTotalEccErrors, device);
  if (!call) return call.code();
  if (error > 1 || counter > 1) return abi::kInvalidArgument;
  if (!ecc_on(call.gpu())) return abi::kNotSupported;
  const auto& by_location = call.gpu().ecc[error][counter];
  return call.put(out, std::accumulate(std::begin(by_location), std::end(by_location), 0ULL));
}
NVML_API nvmlDeviceGetDetailedEccErrors(Device device, Uint error, Uint counter, abi::EccCounts* out) {
  const Call call(Symbol::nvmlDeviceGetDetailedEccErrors, device);
  if (!call) return call.code();
  if (error > 1 || counter > 1) return abi::kInvalidArgument;
  if (!ecc_on(call.gpu())) return abi::kNotSupported;
  const auto& at = call.gpu().ecc[error][counter];
  return call.put(out, {at[0], at[1], at[2], at[3]});
}
NVML_API nvmlDeviceGetMemoryErrorCounter(Device device, Uint error, Uint counter, Uint location, Ullong* out) {
  const Call call(Symbol::nvmlDeviceGetMemoryErrorCounter, device);
  if (!call) return call.code();
  if (error > 1 || counter > 1 || location > 7) return abi::kInvalidArgument;
  if (!ecc_on(call.gpu())) return abi::kNotSupported;
  return call.put(out, call.gpu().ecc[error][counter][location]);
}
NVML_API nvmlDeviceGetSramEccErrorStatus(Device device, abi::SramEccStatus* out) {
  const Call call(Symbol::nvmlDeviceGetSramEccErrorStatus, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  const Gpu& gpu = call.gpu();
  if (!ecc_on(gpu)) return abi::kNotSupported;
  constexpr int kSram = 7;
  abi::SramEccStatus status{};
  status.version = out->version;
  status.volatile_parity = gpu.sram_parity[0];
  status.aggregate_parity = gpu.sram_parity[1];
  status.volatile_secded = gpu.ecc[1][0][kSram] - std::min(gpu.ecc[1][0][kSram], gpu.sram_parity[0]);
  status.aggregate_secded = gpu.ecc[1][1][kSram] - std::min(gpu.ecc[1][1][kSram], gpu.sram_parity[1]);
  status.volatile_corrected = gpu.ecc[0][0][kSram];
  status.aggregate_corrected = gpu.ecc[0][1][kSram];
  std::copy(std::begin(gpu.sram_buckets), std::end(gpu.sram_buckets), status.buckets);
  status.threshold_exceeded = gpu.sram_threshold_exceeded;
  return call.put(out, status);
}

NVML_API nvmlDeviceGetRetiredPages(Device device, Uint cause, Uint* count, Ullong* addresses) {
  return retired(Symbol::nvmlDeviceGetRetiredPages, device, cause, count, addresses, nullptr);
}
NVML_API nvmlDeviceGetRetiredPages_v2(Device device, Uint cause, Uint* count, Ullong* addresses, Ullong* times) {
  return retired(Symbol::nvmlDeviceGetRetiredPages_v2, device, cause, count, addresses, times);
}
NVML_READ(nvmlDeviceGetRetiredPagesPendingStatus, Uint, gpu.retired_pages_supported ? gpu.retired_pending : kAbsent)

NVML_API nvmlDeviceGetRemappedRows(Device device, Uint* corrected, Uint* uncorrected, Uint* pending, Uint* failed) {
  const Call call(Symbol::nvmlDeviceGetRemappedRows, device);
  if (!call) return call.code();
  if (!corrected || !uncorrected || !pending || !failed) return abi::kInvalidArgument;
  // The number of rows is not told while MIG instances are there (nvml.h).
  if (!call.gpu().remapped_supported || call.mig_on()) return abi::kNotSupported;
  const auto& rows = call.gpu().remapped;
  *uncorrected = rows[1];
  *pending = rows[2];
  *failed = rows[3];
  return call.put(corrected, rows[0]);
}
NVML_API nvmlDeviceGetRowRemapperHistogram(Device device, abi::RemapHistogram* out) {
  const Call call(Symbol::nvmlDeviceGetRowRemapperHistogram, device);
  if (!call) return call.code();
  if (!call.gpu().remapped_supported) return abi::kNotSupported;
  abi::RemapHistogram histogram{};
  std::copy(std::begin(call.gpu().remap_histogram), std::end(call.gpu().remap_histogram), histogram.banks);
  return call.put(out, histogram);
}
NVML_API nvmlDeviceGetRepairStatus(Device device, abi::RepairStatus* out) {
  const Call call(Symbol::nvmlDeviceGetRepairStatus, device);
  if (!call) return call.code();
  if (const Return code = call.check(out, 1)) return code;
  return call.put(out, {out->version, call.gpu().channel_repair_pending, call.gpu().tpc_repair_pending});
}
