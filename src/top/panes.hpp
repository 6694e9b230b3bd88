#pragma once

#include <string>
#include <vector>

#include "top/view.hpp"

// The parts of the picture. Each draws into its area and tells what may be clicked.
namespace gpukeeper::top {

using Hots = std::vector<Hot>;

void draw_header(const Scene& scene, const Area& area);
void draw_gpus(const Scene& scene, const Layout& layout, const Area& area, Hots& hots);
/// Of one GPU, kBlockLines rows: who it is, and a row a meter with its figure and its curve.
void draw_gpu_block(const Scene& scene, const GpuRow& gpu, bool chosen, const Area& area);
void draw_tabs(const Scene& scene, const Area& area, Hots& hots);
void draw_list(const Scene& scene, const Area& area, Hots& hots);
void draw_processes(const Scene& scene, const Area& area, Hots& hots);
void draw_leases(const Scene& scene, const Area& area, Hots& hots);
void draw_alerts(const Scene& scene, const std::vector<const Alert*>& alerts, const Area& area, Hots& hots);
/// Without those that are only for the record.
std::vector<const Alert*> grave_alerts(const Model& model);
void draw_why(const Scene& scene, const Area& area, std::size_t scroll);
void draw_charts(const Scene& scene, const Area& area);
void draw_aside(const Scene& scene, const Area& area);
void draw_footer(const Scene& scene, const Area& area);
void draw_gpu_screen(const Scene& scene, const Area& area);
void draw_process_screen(const Scene& scene, const Area& area);
void draw_help(const Scene& scene, const Area& area);
void draw_dialog(const Dialog& dialog, const Area& area, Hots& hots);

/// A rule over the width with a title in it: "── leases ─────".
void draw_rule(const Area& area, std::size_t y, std::string_view title);
/// The text in lines of the area's width from that row on; returns the row behind it.
std::size_t draw_text(const Area& area, std::size_t y, std::string_view first, std::string_view text, Style style,
                      std::size_t skipped = 0);
/// The memory of a GPU in a bar: leases, unmanaged, in use where nobody keeps a book, reserved, free.
void draw_memory(const Scene& scene, const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y,
                 std::size_t width);
/// The lines of format/plot, their scale faint; blanks leave what is there.
void draw_plot(const std::vector<std::string>& lines, Role role, const Area& area);
/// Its temperature, with the marks of the governor's threshold and of the hardware's slowdown.
void draw_temperature(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width);
/// Its power as a share of the limit.
void draw_power(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width);
void draw_utilization(const DeviceSnapshot& device, const Area& area, std::size_t x, std::size_t y, std::size_t width);
/// The latest values in `width` columns, the latest at the right.
void draw_spark(const Trail::Values& values, double top, const Area& area, std::size_t x, std::size_t y,
                std::size_t width, Role role);

}  // namespace gpukeeper::top
