// Cgroup paths hold names that container runtimes, units and users choose.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "attribution/cgroup.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto place = gpukeeper::parse_cgroup(text);
  const auto stands_there = [&](std::string_view part) {
    if (part.empty() || text.find(part) == std::string_view::npos) std::abort();
  };
  if (place.container) {
    if (place.container->runtime.empty()) std::abort();
    stands_there(place.container->id);
  }
  if (place.unit) {
    stands_there(*place.unit);
    if (place.unit->find('/') != std::string_view::npos) std::abort();
  }
  if (place.slurm_job) {
    stands_there(*place.slurm_job);
    if (place.slurm_job->find_first_not_of("0123456789") != std::string_view::npos) std::abort();
  }
  if (place.pod_uid && place.pod_uid->size() != 32 && place.pod_uid->size() != 36) std::abort();
  return 0;
}
