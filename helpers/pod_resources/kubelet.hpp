#pragma once

#include <chrono>
#include <string>

#include "core/result.hpp"
#include "pod_resources.pb.h"

namespace gpukeeper::pod_resources {

/// Asks the kubelet that listens on a unix socket for the resources of all pods.
/// Errors: not_found when there is no such socket, not_permitted, unavailable when nobody or no kubelet answers there,
/// deadline_exceeded, not_supported when it speaks another version, resource_exhausted above 16 MiB, internal when what
/// it answers cannot be read.
Result<v1::ListPodResourcesResponse> list(const std::string& socket, std::chrono::seconds timeout);

}  // namespace gpukeeper::pod_resources
