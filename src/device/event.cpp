#include "device/event.hpp"

namespace gpukeeper {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::xid: return "xid";
    case EventKind::ecc_corrected: return "ecc_corrected";
    case EventKind::ecc_uncorrected: return "ecc_uncorrected";
    case EventKind::row_remap: return "row_remap";
    case EventKind::page_retirement: return "page_retirement";
    case EventKind::ras: return "ras";
    case EventKind::engine_reset: return "engine_reset";
    case EventKind::gpu_hang: return "gpu_hang";
    case EventKind::gpu_reset: return "gpu_reset";
    case EventKind::wedged: return "wedged";
    case EventKind::devcoredump: return "devcoredump";
    case EventKind::pcie_error: return "pcie_error";
    case EventKind::lost: return "lost";
    case EventKind::returned: return "returned";
    case EventKind::driver_reload: return "driver_reload";
    case EventKind::driver: return "driver";
  }
  return "driver";
}

}  // namespace gpukeeper
