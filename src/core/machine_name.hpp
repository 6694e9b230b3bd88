#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper {

/// What this machine is called wherever readings, alerts and metrics name it; never empty.
///
/// GPUKEEPER_HOSTNAME says it; else, in a pod, NODE_NAME, the variable that manifests of other exporters set; else
/// gethostname(2). In a pod that last one is the pod's name, which changes with every update. Outside of Kubernetes
/// NODE_NAME is not looked at: build servers call themselves so.
std::string machine_name(const std::function<std::optional<std::string>(std::string_view)>& environment);

/// By this process's environment.
std::string machine_name();

}  // namespace gpukeeper
