#include "format/states_json.hpp"

#include "core/rfc3339.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"
#include "telemetry/overall.hpp"

namespace gpukeeper {
namespace {

Json thresholds_json(const GovernorThresholds& borders) {
  return {{"temp_optimal_celsius", borders.temp_optimal.value()},
          {"temp_normal_celsius", borders.temp_normal.value()},
          {"temp_throttle_celsius", borders.temp_throttle.value()},
          {"temp_critical_celsius", borders.temp_critical.value()},
          {"memory_optimal_percent", borders.memory_optimal.value()},
          {"memory_normal_percent", borders.memory_normal.value()},
          {"memory_critical_percent", borders.memory_critical.value()}};
}

Json device_json(const Place& place) {
  const DeviceSnapshot& d = *place.device;
  return {{"index", index_text(place)},
          {"uuid", d.device->id.text},
          {"name", d.device->name},
          {"simulated", d.device->simulated},
          {"recorded", d.device->recorded},
          {"available", d.available},
          {"reason", text_or_null(d.reason)},
          {"state", to_string(d.throttling.state)},
          {"state_since", rfc3339(d.throttling.state_since)},
          {"state_of_reading", to_string(d.state)},
          {"speed_multiplier", d.throttling.speed_multiplier},
          {"should_throttle", d.throttling.should_throttle()},
          {"lamp", to_string(d.lamp)},
          {"thresholds", thresholds_json(d.throttling.thresholds)}};
}

}  // namespace

std::string states_json(const Snapshot& snapshot) {
  Json devices = Json::array();
  for (const Place& place : places(snapshot)) devices.push_back(device_json(place));
  return dump({{"schema", "gpukeeper.states/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"state", to_string(overall_governed_state(snapshot))},
               {"speed_multiplier", overall_speed(snapshot)},
               {"lamp", to_string(snapshot.lamp)},
               {"devices", std::move(devices)}},
              false);
}

}  // namespace gpukeeper
