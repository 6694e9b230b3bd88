// GPU performance monitoring of Hopper and later: two samples, and metrics between them.
#include <algorithm>
#include <cstdlib>

#include "fakes/nvml/library.hpp"

namespace gpukeeper::fake_nvml::abi {
/// What stood in the state when the sample was taken.
struct GpmSampleObject {
  std::uint64_t taken_ns = 0;
  double values[kMaxGpmMetrics] = {};
};
}  // namespace gpukeeper::fake_nvml::abi

using namespace gpukeeper::fake_nvml;

namespace {

constexpr Uint kGpmVersion = 1;

Return take(const Call& call, abi::GpmSample sample, const MigInstance* mig) {
  if (!sample) return abi::kInvalidArgument;
  if (!call.gpu().gpm_supported) return abi::kNotSupported;
  sample->taken_ns = monotonic_ns();
  const auto& values = mig ? mig->gpm : call.gpu().gpm;
  std::copy(std::begin(values), std::end(values), sample->values);
  return abi::kSuccess;
}

const char* unit_of(Uint metric) {
  if (metric == 20 || metric == 21 || (metric >= 60 && metric <= 97))
    return "MiB/s";  // nvml.h: bytes per second as MiB
  return "%";
}

}  // namespace

NVML_API nvmlGpmQueryDeviceSupport(Device device, abi::GpmSupport* out) {
  const Call call(Symbol::nvmlGpmQueryDeviceSupport, device, MigHandle::yes);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  if (out->version != kGpmVersion || call.refuses_versions()) return abi::kArgumentVersionMismatch;
  return call.put(out, {out->version, call.gpu().gpm_supported});
}
NVML_API nvmlGpmSampleAlloc(abi::GpmSample* out) {
  const Call call(Symbol::nvmlGpmSampleAlloc);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  *out = new abi::GpmSampleObject;
  return abi::kSuccess;
}
NVML_API nvmlGpmSampleFree(abi::GpmSample sample) {
  const Call call(Symbol::nvmlGpmSampleFree);
  if (!call) return call.code();
  if (!sample) return abi::kInvalidArgument;
  delete sample;
  return abi::kSuccess;
}
NVML_API nvmlGpmSampleGet(Device device, abi::GpmSample sample) {
  const Call call(Symbol::nvmlGpmSampleGet, device, MigHandle::yes);
  return call ? take(call, sample, call.mig()) : call.code();
}
NVML_API nvmlGpmMigSampleGet(Device device, Uint gpu_instance, abi::GpmSample sample) {
  const Call call(Symbol::nvmlGpmMigSampleGet, device);
  if (!call) return call.code();
  if (!call.mig_on()) return abi::kNotSupported;
  const auto& all = call.gpu().mig;
  const auto* mig = std::find_if(std::begin(all), std::end(all),
                                 [&](const MigInstance& m) { return m.present && m.gpu_instance == gpu_instance; });
  return mig == std::end(all) ? abi::kInvalidArgument : take(call, sample, mig);
}
NVML_API nvmlGpmMetricsGet(abi::GpmMetricsGet* get) {
  const Call call(Symbol::nvmlGpmMetricsGet);
  if (!call) return call.code();
  if (!get) return abi::kInvalidArgument;
  if (get->version != kGpmVersion || call.refuses_versions()) return abi::kArgumentVersionMismatch;
  if (!get->first || !get->second || get->count == 0 || get->count > kMaxGpmMetrics) return abi::kInvalidArgument;
  if (get->first->taken_ns == 0 || get->second->taken_ns <= get->first->taken_ns) return abi::kInvalidArgument;
  for (Uint i = 0; i < get->count; ++i) {
    abi::GpmMetric& metric = get->metrics[i];
    if (metric.id == 0 || metric.id >= kMaxGpmMetrics) {
      metric.code = abi::kInvalidArgument;
      continue;
    }
    const double value = get->second->values[metric.id];
    metric.code = value < 0 ? abi::kNotSupported : abi::kSuccess;
    metric.value = value < 0 ? 0 : value;
    metric.short_name = metric.long_name = "";
    metric.unit = unit_of(metric.id);
  }
  return abi::kSuccess;
}
NVML_API nvmlGpmQueryIfStreamingEnabled(Device device, Uint* out) {
  const Call call(Symbol::nvmlGpmQueryIfStreamingEnabled, device);
  if (!call) return call.code();
  return call.gpu().gpm_supported ? call.put(out, 1U) : abi::kNotSupported;
}
