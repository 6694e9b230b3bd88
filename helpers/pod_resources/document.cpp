#include "document.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace gpukeeper::pod_resources {
namespace {

using Json = nlohmann::ordered_json;

bool is_gpu(std::string_view resource) {
  if (resource.ends_with("_monitoring")) return false;
  return resource.starts_with("nvidia.com/") || resource.starts_with("amd.com/") ||
         resource.starts_with("gpu.intel.com/");
}

Json devices_json(const v1::ContainerResources& container) {
  Json list = Json::array();
  for (const v1::ContainerDevices& devices : container.devices()) {
    if (!is_gpu(devices.resource_name()) || devices.device_ids().empty()) continue;
    list.push_back({{"resource", devices.resource_name()},
                    {"ids", std::vector<std::string>(devices.device_ids().begin(), devices.device_ids().end())}});
  }
  return list;
}

Json containers_json(const v1::PodResources& pod) {
  Json list = Json::array();
  for (const v1::ContainerResources& container : pod.containers()) {
    Json devices = devices_json(container);
    if (!devices.empty()) list.push_back({{"name", container.name()}, {"devices", std::move(devices)}});
  }
  return list;
}

}  // namespace

std::string document(const v1::ListPodResourcesResponse& response) {
  std::vector<const v1::PodResources*> pods;
  for (const v1::PodResources& pod : response.pod_resources()) pods.push_back(&pod);
  std::ranges::sort(pods, [](const v1::PodResources* a, const v1::PodResources* b) {
    return std::pair(a->namespace_(), a->name()) < std::pair(b->namespace_(), b->name());
  });
  Json list = Json::array();
  for (const v1::PodResources* pod : pods) {
    Json containers = containers_json(*pod);
    if (containers.empty()) continue;
    list.push_back({{"namespace", pod->namespace_()}, {"name", pod->name()}, {"containers", std::move(containers)}});
  }
  const Json document = {{"schema", "gpukeeper.pod-resources/1"}, {"pods", std::move(list)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gpukeeper::pod_resources
