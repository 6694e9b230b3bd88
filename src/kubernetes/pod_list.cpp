#include "kubernetes/pod_list.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/bounded_json.hpp"

namespace gpukeeper::kubernetes {
namespace {

constexpr std::string_view kSchema = "gpukeeper.pod-resources/1";

// Members that are not what they should be throw nlohmann's exceptions: parse_pod_list turns them into an error.
std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> result;
  for (const Json& each : list) result.push_back(each.get<std::string>());
  return result;
}

PodContainer container_from(const Json& json) {
  PodContainer container{json.at("name").get<std::string>(), {}};
  for (const Json& devices : json.at("devices")) {
    container.devices.push_back({devices.at("resource").get<std::string>(), texts(devices.at("ids"))});
  }
  return container;
}

Pod pod_from(const Json& json) {
  Pod pod{json.at("namespace").get<std::string>(), json.at("name").get<std::string>(), {}};
  for (const Json& container : json.at("containers")) pod.containers.push_back(container_from(container));
  return pod;
}

}  // namespace

Result<std::vector<Pod>> parse_pod_list(std::string_view json) {
  const Json document = parse_bounded(json);
  if (!document.is_object()) return fail(Errc::invalid_argument, "it printed no JSON object");
  const Json schema = document.value("schema", Json());
  if (schema != kSchema) {
    return fail(Errc::invalid_argument, fmt::format("it printed a document of the schema {}, and {} is understood",
                                                    harmless(schema.dump()), kSchema));
  }
  try {
    std::vector<Pod> pods;
    for (const Json& pod : document.at("pods")) pods.push_back(pod_from(pod));
    return pods;
  } catch (const Json::exception& error) {
    return fail(Errc::invalid_argument, fmt::format("it printed a document that is not as {} is: {}", kSchema,
                                                    harmless(std::string(error.what()))));
  }
}

}  // namespace gpukeeper::kubernetes
