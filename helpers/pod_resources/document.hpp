#pragma once

#include <string>

#include "pod_resources.pb.h"

namespace gpukeeper::pod_resources {

/// The pods that were given GPUs, of NVIDIA, AMD or Intel, as docs/schema/pod-resources.json describes it: by namespace
/// and name, on one line. Resources that only allow to look at all GPUs (gpu.intel.com/…_monitoring) give none.
std::string document(const v1::ListPodResourcesResponse& response);

}  // namespace gpukeeper::pod_resources
