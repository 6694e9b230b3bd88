#include "format/throttling_json.hpp"

#include <utility>

#include "format/human.hpp"

namespace gpukeeper {
namespace {

Json request_json(const Snapshot& snapshot, const ThrottleRequest& request) {
  Json until;
  if (request.until) {
    const auto left = std::chrono::duration_cast<WallTime::duration>(*request.until - snapshot.monotonic);
    until = rfc3339(snapshot.taken_at + left);
  }
  return {{"cause", to_string(request.cause)},
          {"speed_multiplier", request.multiplier},
          {"reason", request.reason},
          {"since", rfc3339(request.since)},
          {"until", std::move(until)}};
}

// Under the names that they have in the configuration.
Json thresholds_json(const GovernorThresholds& t) {
  return {{"temp_optimal", t.temp_optimal.value()},      {"temp_normal", t.temp_normal.value()},
          {"temp_throttle", t.temp_throttle.value()},    {"temp_critical", t.temp_critical.value()},
          {"memory_optimal", t.memory_optimal.value()},  {"memory_normal", t.memory_normal.value()},
          {"memory_critical", t.memory_critical.value()}};
}

}  // namespace

Json throttling_json(const Snapshot& snapshot, const Throttling& throttling) {
  Json requests = Json::array();
  for (const ThrottleRequest& request : throttling.requests) requests.push_back(request_json(snapshot, request));
  return {{"state", to_string(throttling.state)},
          {"state_since", rfc3339(throttling.state_since)},
          {"speed_multiplier", throttling.speed_multiplier},
          {"should_throttle", throttling.should_throttle()},
          {"thresholds", thresholds_json(throttling.thresholds)},
          {"requests", std::move(requests)}};
}

}  // namespace gpukeeper
