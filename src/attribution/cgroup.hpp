#pragma once

#include <string_view>

#include "device/process_facts.hpp"

namespace gpukeeper {

/// Where a process belongs, from the text of /proc/PID/cgroup: of cgroup version 1 (a line a controller), 2 (one line
/// "0::PATH") or both. Where lines differ, the one that knows more of a container wins; the unit is systemd's own
/// line's.
///
/// Understood are the paths of docker, containerd (nerdctl too), cri-o, podman and LXC, under systemd and without it;
/// Kubernetes' pods; systemd's units; Slurm's jobs. The innermost counts: of a container in a pod's container that one,
/// and the pod. A container's own scope is not told as a unit, as it only repeats the container's id.
ProcessPlace parse_cgroup(std::string_view text);

}  // namespace gpukeeper
