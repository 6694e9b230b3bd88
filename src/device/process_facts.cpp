#include "device/process_facts.hpp"

namespace gpukeeper {

std::string pod_title(const PodNames& names) {
  return names.name_space + "/" + names.pod;
}

std::string_view to_string(ProcessClass kind) {
  switch (kind) {
    case ProcessClass::unknown: return "unknown";
    case ProcessClass::mining: return "mining";
    case ProcessClass::ml_training: return "ml_training";
    case ProcessClass::ml_inference: return "ml_inference";
    case ProcessClass::ml: return "ml";
    case ProcessClass::video: return "video";
    case ProcessClass::gaming: return "gaming";
    case ProcessClass::desktop: return "desktop";
  }
  return "unknown";
}

}  // namespace gpukeeper
