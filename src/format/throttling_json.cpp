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

}  // namespace

Json throttling_json(const Snapshot& snapshot, const Throttling& throttling) {
  Json requests = Json::array();
  for (const ThrottleRequest& request : throttling.requests) requests.push_back(request_json(snapshot, request));
  return {{"state", to_string(throttling.state)},
          {"state_since", rfc3339(throttling.state_since)},
          {"speed_multiplier", throttling.speed_multiplier},
          {"should_throttle", throttling.should_throttle()},
          {"requests", std::move(requests)}};
}

}  // namespace gpukeeper
