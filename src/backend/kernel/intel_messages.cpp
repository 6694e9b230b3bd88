#include "backend/kernel/messages.hpp"

/// The lines of i915 (gt/intel_reset.c, i915_gpu_error.c) and xe (xe_device.c, xe_gt.c, xe_guc_submit.c), and of
/// drm_drv.c, of kernels 4.16 to 7.0.
namespace gpukeeper {
namespace {

constexpr MessageRow kRows[] = {
    {"GPU HANG: ecode ", "", EventKind::gpu_hang},
    {"Timedout job: ", "", EventKind::gpu_hang},
    {"Resetting chip ", "", EventKind::gpu_reset},
    {"Resetting ", " for ", EventKind::engine_reset},
    {"Resetting ", " after gpu hang", EventKind::engine_reset},
    {"Engine reset: ", "", EventKind::engine_reset},
    {"Engine reset failed", "", EventKind::engine_reset},
    {"reset done", "", EventKind::gpu_reset},
    {"reset failed", "", EventKind::gpu_reset},
    {"Failed to reset chip", "", EventKind::wedged},
    {"GPU recovery timed out", "", EventKind::wedged},
    {"device wedged, needs recovery", "", EventKind::wedged},
    {"CRITICAL: Xe has declared device ", "wedged", EventKind::wedged},
    {"Engine memory ", " error", EventKind::driver},
};

// "… in NAME [1234]" at the end, or before ", reason: …". The last bracket with a number counts: a name may hold one.
void read_process(DeviceEvent& event, std::string_view text) {
  const auto rest = after(text, " in ");
  if (!rest) return;
  for (auto at = rest->rfind(" ["); at != std::string_view::npos && at > 0; at = rest->rfind(" [", at - 1)) {
    std::string_view number = rest->substr(at + 2);
    const auto pid = take_number(number);
    if (!pid || !number.starts_with(']')) continue;
    blame(event, rest->substr(0, at), pid);
    return;
  }
}

}  // namespace

std::optional<KernelMessage> read_intel(const KernelLine& line) {
  for (const MessageRow& row : kRows) {
    if (!line.text.starts_with(row.start) || line.text.find(row.words) == std::string_view::npos) continue;
    KernelMessage found = message(line, row.kind);
    if (row.kind == EventKind::gpu_hang) read_process(found.event, line.text);
    return found;
  }
  return std::nullopt;
}

}  // namespace gpukeeper
