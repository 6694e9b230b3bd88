#include "gpukeeper/operation.hpp"

#include <cmath>

#include "format/json_text.hpp"

namespace gpukeeper {
inline namespace v0 {

std::string to_json(const Operation& operation) {
  Json document = {{"service", operation.service}, {"operation", operation.operation}, {"count", operation.count}};
  if (!operation.device.empty()) document["device"] = operation.device;
  if (operation.took && std::isfinite(operation.took->count())) document["seconds"] = operation.took->count();
  return dump(document, false);
}

}  // namespace v0
}  // namespace gpukeeper
