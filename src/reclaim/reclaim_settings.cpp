#include "reclaim/reclaim_settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/display_text.hpp"
#include "core/glob.hpp"
#include "ledger/ledger_settings.hpp"

namespace gpukeeper::reclaim {

bool names_service(const std::vector<std::string>& globs, std::string_view service) {
  const std::string name = canonical_service(service);
  return std::ranges::any_of(globs, [&](const std::string& glob) { return fits(canonical_service(glob), name); });
}

std::vector<std::string> check(const ReclaimSettings& settings) {
  std::vector<std::string> mistakes;
  for (const std::string& name : settings.terminate_idle) {
    if (must_run(name)) {
      mistakes.push_back(fmt::format("reclaim.terminate_idle: {} is never terminated; leave it out", harmless(name)));
    }
  }
  return mistakes;
}

}  // namespace gpukeeper::reclaim
