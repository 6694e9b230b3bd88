#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fakes/snapshots.hpp"
#include "kubernetes/pod_list.hpp"

namespace gpukeeper::kubernetes {

/// A process of a pod's container.
inline GpuProcess in_pod(std::int64_t pid, std::string uid, std::string container,
                         std::optional<std::string> partition = std::nullopt) {
  ProcessFacts facts;
  facts.place = ProcessPlace{.container = Container{"containerd", std::move(container)}, .pod_uid = std::move(uid)};
  GpuProcess result = told(process(pid, "x", 5), facts);
  if (partition) result.partition = DeviceId{*partition};
  return result;
}

inline DeviceSnapshot gpu(std::uint32_t index, Device device_facts, std::vector<GpuProcess> processes = {}) {
  DeviceSnapshot d = device(index, std::move(device_facts), busy());
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
  return d;
}

inline DeviceSnapshot nvidia(std::uint32_t index, std::string uuid, std::vector<GpuProcess> processes = {}) {
  return gpu(index, facts(std::move(uuid), "NVIDIA A10G", "0000:0" + std::to_string(index + 1) + ":00.0"),
             std::move(processes));
}

inline DeviceSnapshot partition(std::uint32_t index, std::string uuid) {
  DeviceSnapshot d;
  d.index = index;
  Device part;
  part.id.text = std::move(uuid);
  d.device = std::make_shared<const Device>(std::move(part));
  return d;
}

inline Snapshot node(std::vector<DeviceSnapshot> devices) {
  Snapshot snapshot;
  snapshot.devices = std::move(devices);
  return snapshot;
}

inline Pod pod(std::string name_space, std::string name, std::vector<PodContainer> containers) {
  return {std::move(name_space), std::move(name), std::move(containers)};
}

inline PodContainer given(std::string name, std::vector<std::string> ids, std::string resource = "nvidia.com/gpu") {
  return {std::move(name), {{std::move(resource), std::move(ids)}}};
}

}  // namespace gpukeeper::kubernetes
