#pragma once

#include <chrono>

#include "report/report.hpp"
#include "report/svg_chart.hpp"

// The charts of a report, for whoever draws them. `utc_offset` is the reader's.
namespace gpukeeper::report {

/// Energy over time, by user: the six that used most, all others, and nobody.
StackedColumns energy_chart(const Report& report, std::chrono::seconds utc_offset);

/// How busy every GPU was over time.
HeatMap use_chart(const Report& report, std::chrono::seconds utc_offset);

Curve temperature_chart(const Report& report, const DeviceRow& row, std::chrono::seconds utc_offset);
Curve power_chart(const Report& report, const DeviceRow& row, std::chrono::seconds utc_offset);

}  // namespace gpukeeper::report
