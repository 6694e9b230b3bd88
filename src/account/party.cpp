#include "account/party.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace gpukeeper::account {
namespace {

constexpr std::size_t kShortId = 12;  // as container tools show ids
constexpr std::size_t kShortPod = 8;

std::string container_of(const Container& container) {
  return fmt::format("{} {}", container.runtime, std::string_view(container.id).substr(0, kShortId));
}

std::string service_of(const ProcessPlace& place) {
  constexpr std::string_view kEnd = ".service";
  if (place.unit && place.unit->ends_with(kEnd)) return place.unit->substr(0, place.unit->size() - kEnd.size());
  if (place.slurm_job) return "job " + *place.slurm_job;
  if (place.pod_uid) return service_of_pod(*place.pod_uid);
  return place.container ? container_of(*place.container) : std::string();
}

}  // namespace

std::string service_of_pod(std::string_view uid) {
  return fmt::format("pod {}", uid.substr(0, kShortPod));
}

Party party_of(const ProcessFacts* facts, const LeasedProcess* leased) {
  Party party;
  if (facts) {
    if (facts->user) party.user = *facts->user;
    party.kind = facts->classification.kind;
    if (facts->place) {
      party.service = service_of(*facts->place);
      if (facts->place->container) party.container = container_of(*facts->place->container);
      party.pod = facts->place->pod_uid.value_or("");
      party.job = facts->place->slurm_job.value_or("");
    }
  }
  if (leased) {
    party.lease = leased->lease;
    party.service = leased->service;
  }
  return party;
}

}  // namespace gpukeeper::account
