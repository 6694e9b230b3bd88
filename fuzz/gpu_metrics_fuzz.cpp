// The table comes from the power firmware, and from files that people send.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/amdgpu/gpu_metrics.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto metrics = gpukeeper::parse_gpu_metrics(bytes);
  if (!metrics) {
    if (metrics.error().message.empty()) std::abort();
    return 0;
  }
  for (const auto& percent : {metrics->activity_graphics, metrics->activity_memory, metrics->activity_media}) {
    if (percent && !(percent->value() >= 0 && percent->value() <= 100)) std::abort();
  }
  for (const auto& partition : metrics->partitions) {
    if (partition.activity && !(partition.activity->value() >= 0 && partition.activity->value() <= 100)) std::abort();
  }
  if (metrics->partitions.size() > 8 || metrics->xgmi.size() > 8) std::abort();
  if (metrics->power_socket && !(metrics->power_socket->value() >= 0)) std::abort();
  if (metrics->energy && !std::isfinite(metrics->energy->value())) std::abort();
  // A page of zeros behind the table changes nothing; a byte less than it says makes it damaged.
  const auto padded = gpukeeper::parse_gpu_metrics(std::string(bytes) + std::string(64, '\0'));
  if (!padded || padded->temperature_edge != metrics->temperature_edge) std::abort();
  const std::size_t said = data[0] | static_cast<std::size_t>(data[1]) << 8;
  if (gpukeeper::parse_gpu_metrics(bytes.substr(0, said - 1))) std::abort();
  return 0;
}
