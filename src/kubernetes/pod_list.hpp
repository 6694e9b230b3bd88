#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper::kubernetes {

/// Devices of one kind that a container was given.
struct GivenDevices {
  std::string resource;          ///< "nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "amd.com/gpu", "gpu.intel.com/i915"
  std::vector<std::string> ids;  ///< as the device plugin names them
  friend bool operator==(const GivenDevices&, const GivenDevices&) = default;
};

struct PodContainer {
  std::string name;
  std::vector<GivenDevices> devices;
  friend bool operator==(const PodContainer&, const PodContainer&) = default;
};

/// A pod with GPUs. Its uid the kubelet does not tell.
struct Pod {
  std::string name_space;
  std::string name;
  std::vector<PodContainer> containers;
  friend bool operator==(const Pod&, const Pod&) = default;
};

/// The pods out of what gpukeeper-pod-resources prints (docs/schema/pod-resources.json).
/// Errors: invalid_argument when it is no such document, or one of another version.
Result<std::vector<Pod>> parse_pod_list(std::string_view json);

}  // namespace gpukeeper::kubernetes
