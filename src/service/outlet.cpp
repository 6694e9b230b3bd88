#include "service/outlet.hpp"

#include <fmt/format.h>

namespace gpukeeper::service {

std::vector<std::string> trouble_of(const std::vector<ExportStatus>& all) {
  std::vector<std::string> sentences;
  for (const ExportStatus& each : all) {
    if (each.error.empty()) continue;
    sentences.push_back(fmt::format("{} of readings: {}; {} wait{}, {} {} dropped", each.name, each.error, each.waiting,
                                    each.waiting == 1 ? "s" : "", each.dropped, each.dropped == 1 ? "was" : "were"));
  }
  return sentences;
}

}  // namespace gpukeeper::service
