#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/andon/scene.hpp"

// What the rules of the table look for; see See. Each is named after its rule.
namespace gpukeeper::rules {

// Values of a reading against borders.
bool thermal(const Scene& scene, std::vector<Sign>& signs);
bool hotspot(const Scene& scene, std::vector<Sign>& signs);
bool memory_temperature(const Scene& scene, std::vector<Sign>& signs);
bool memory_pressure(const Scene& scene, std::vector<Sign>& signs);
bool power_limit(const Scene& scene, std::vector<Sign>& signs);
bool utilization_high(const Scene& scene, std::vector<Sign>& signs);
bool ecc(const Scene& scene, std::vector<Sign>& signs);
bool user(const Scene& scene, std::vector<Sign>& signs);

// Conditions of a device.
bool fan_stopped(const Scene& scene, std::vector<Sign>& signs);
bool hardware_throttling(const Scene& scene, std::vector<Sign>& signs);
bool row_remap(const Scene& scene, std::vector<Sign>& signs);
bool pcie_degraded(const Scene& scene, std::vector<Sign>& signs);
bool missing_sensor(const Scene& scene, std::vector<Sign>& signs);

// Whether it can be read at all, and what was reported of it.
bool gpu_lost(const Scene& scene, std::vector<Sign>& signs);
bool driver_mismatch(const Scene& scene, std::vector<Sign>& signs);
bool driver_mismatch_of_source(const Scene& scene, std::vector<Sign>& signs);
bool sampling_stalled(const Scene& scene, std::vector<Sign>& signs);
bool step_failed(const Scene& scene, std::vector<Sign>& signs);
bool xid(const Scene& scene, std::vector<Sign>& signs);
bool device_fault(const Scene& scene, std::vector<Sign>& signs);

// Processes, and the machine.
bool idle(const Scene& scene, std::vector<Sign>& signs);
bool hoarding(const Scene& scene, std::vector<Sign>& signs);
bool memory_leak(const Scene& scene, std::vector<Sign>& signs);
bool miner(const Scene& scene, std::vector<Sign>& signs);
bool host_cpu(const Scene& scene, std::vector<Sign>& signs);
bool host_memory(const Scene& scene, std::vector<Sign>& signs);

// What is booked of a device.
bool lease_overuse(const Scene& scene, std::vector<Sign>& signs);
bool lease_leak(const Scene& scene, std::vector<Sign>& signs);

/// "process 77 (python3) of mara", as far as it is known.
std::string described(const Scene& scene, const GpuProcess& process);
/// Whether the glob fits what the process or its program is called.
bool is_called(const Scene& scene, const GpuProcess& process, std::string_view glob);
/// What is_of_process() of that process; nothing where the driver does not tell.
std::optional<double> value_of(const GpuProcess& process, std::string_view metric);

/// A value against the rule's borders; nothing when it is clear of both. `strictly`: a border is crossed above it, not
/// at it.
std::optional<Sign> against_borders(const Scene& scene, double value, bool strictly = false);

}  // namespace gpukeeper::rules
