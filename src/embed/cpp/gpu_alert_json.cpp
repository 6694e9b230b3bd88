#include "gpukeeper/gpu_alert.hpp"

#include "format/gpu_alert_json.hpp"

namespace gpukeeper {
inline namespace v0 {

std::optional<GpuAlert> read_gpu_alert(std::string_view json, std::string* mistake) {
  auto alert = parse_gpu_alert(json);
  if (alert) return *alert;
  if (mistake) *mistake = std::move(alert.error().message);
  return std::nullopt;
}

}  // namespace v0
}  // namespace gpukeeper
