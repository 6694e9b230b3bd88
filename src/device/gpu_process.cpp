#include "device/gpu_process.hpp"

namespace gpukeeper {

std::string ProcessType::to_string() const {
  std::string text;
  const auto add = [&text](bool present, std::string_view word) {
    if (!present) return;
    if (!text.empty()) text += '+';
    text += word;
  };
  add(compute, "compute");
  add(graphics, "graphics");
  add(mps, "mps");
  return text.empty() ? "unknown" : text;
}

}  // namespace gpukeeper
