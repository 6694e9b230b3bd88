#pragma once

#include <cstddef>
#include <string>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// `width` glyphs of which round(value / 100 * width) are full: "██████░░░░". Below 0 all are empty, above 100 full.
GPUKEEPER_API std::string render_progress_bar(double value, std::size_t width);

/// One GPU in four lines, each with its end, for a terminal of so many columns (bars get what is above 25, the name
/// what is above 20):
///
///     ───── GPU 0: NVIDIA H200 ─────
///     Util: ███████░░░  72%  │  Temp: 65°C
///     VRAM: ███░░░░░░░ 8.0/24.0 GB (33%)
///     Pow:  ██████░░░░ 250W/450W
///
/// What is not known is "n/a". GB are 2^30 bytes here. The name is made harmless for a terminal.
GPUKEEPER_API std::string format_gpu_panel(const GpuMetrics& metrics, std::size_t width);

}  // namespace v0
}  // namespace gpukeeper
