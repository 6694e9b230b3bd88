#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "device/process_facts.hpp"
#include "kubernetes/pod_list.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::kubernetes {

/// To which containers the kubelet gave each device or partition.
using Claims = std::map<DeviceId, std::set<PodNames>>;

/// Finds the devices that the ids mean: by UUID (those of MIG instances as well), PCI address, the number that NVIDIA's
/// plugin gives on wish, "nvidiaN" of GKE's plugin and "cardN-K" of Intel's; without the "::K" of a time slice. An id
/// that fits no device is left out; recorded devices are another machine's.
Claims claims_of(const std::vector<Pod>& pods, const std::vector<DeviceSnapshot>& devices);

/// A container as cgroups name it: the uid of its pod, and its own id, which may be empty.
using ContainerKey = std::pair<std::string, std::string>;

/// On what a container's processes run: each time the devices of which the kubelet may have given it one, as a process
/// whose partition is not known may be in any.
using Sightings = std::map<ContainerKey, std::set<std::set<DeviceId>>>;

/// What cgroups say of the processes on the devices.
Sightings sightings_of(const Snapshot& snapshot);

/// Who is who. The kubelet tells no uids, so a pod is found by where it runs: it must have been given every device that
/// its processes are on, no other pod may have been, and no other uid may look like that pod, too; a container of it
/// likewise. What cannot be told apart so has no name: pods that share all their devices, and those that use devices
/// which nobody gave them.
std::map<ContainerKey, PodNames> names_of(const Claims& claims, const Sightings& sightings);

}  // namespace gpukeeper::kubernetes
