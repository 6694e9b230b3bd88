#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "actuators/kernel_files.hpp"
#include "core/files.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Where control groups of version 2 are mounted, from the text of /proc/self/mountinfo: a hybrid machine has them
/// beside those of version 1. Nothing when it has none.
std::optional<std::string> cgroup2_mount(std::string_view mountinfo);

/// The path of a process' group of version 2 below that mount, from the text of /proc/PID/cgroup ("0::/user.slice/…").
std::optional<std::string> cgroup2_path(std::string_view cgroup);

/// Whether a program must never stand still: display servers, NVIDIA's daemons (MPS, persistence, fabric manager, which
/// hold locks that others wait for), the service manager, logins, ourselves. `name` as in /proc/PID/comm.
bool must_run(std::string_view name);

/// An actuator for each control group that has processes on the device, that the settings allow to be frozen, and in
/// which there is nothing that must run. A group is frozen as a whole, with the groups below it, and its processes can
/// still be killed. `files` and `writes` must outlive them.
std::vector<std::unique_ptr<Actuator>> freezers(const DeviceSnapshot& device, const ActuatorSettings& settings,
                                                const Files& files, KernelFiles& writes);

/// The one of that name. Null when the group is gone.
std::unique_ptr<Actuator> find_freezer(const ActuatorName& name, const Files& files, KernelFiles& writes);

}  // namespace gpukeeper
