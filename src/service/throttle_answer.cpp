#include "service/throttle_answer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

constexpr double kShortestWish = 0.001;          // s
constexpr double kLongestWish = 366 * 86'400.0;  // a year; what shall hold longer needs no end
constexpr std::size_t kMostDevices = 1024;

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

// Of ?device=; empty for none.
Result<std::vector<std::string>> selectors(const Request& request) {
  if (request.query.empty()) return std::vector<std::string>{};
  const auto& [name, value] = *request.query.begin();
  if (name != "device" || request.query.size() > 1) {
    return wrong("the one parameter known here is device: ?device=INDEX or UUID");
  }
  return std::vector{value};
}

// The whole devices that are meant; a partition keeps the pace of its device. Empty when all are.
Result<std::vector<DeviceId>> devices(const std::vector<std::string>& selectors, const Snapshot& snapshot) {
  std::vector<DeviceId> ids;
  if (selectors.empty()) return ids;
  const auto chosen = select_devices(snapshot, selectors);
  if (!chosen) return tl::make_unexpected(chosen.error());
  for (const DeviceSnapshot& device : chosen->devices) {
    ids.push_back(device.device->parent.value_or(device.device->id));
  }
  return ids;
}

Response refusal(const Error& error) {
  const bool unknown = error.code == Errc::not_found;
  return problem(unknown ? 404 : 400, unknown ? "not_found" : "invalid_request", harmless(error.message));
}

Json names(const std::vector<DeviceId>& ids) {
  if (ids.empty()) return {};
  Json list = Json::array();
  for (const DeviceId& id : ids) list.push_back(id.text);
  return list;
}

Response not_taken() {
  return problem(503, "busy", "the engine takes no commands now: try again in a second");
}

Result<std::optional<std::chrono::nanoseconds>> length_of(const Json& seconds) {
  if (seconds.is_null()) return std::optional<std::chrono::nanoseconds>();
  const double value = seconds.is_number() ? seconds.get<double>() : 0;
  if (!(value >= kShortestWish && value <= kLongestWish)) return wrong("seconds takes a number from 0.001 to 31622400");
  return std::optional(std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(value)));
}

Result<std::vector<std::string>> devices_of(const Json& list) {
  const std::string rule = "devices takes a list of indices, UUIDs or PCI addresses, as texts";
  if (!list.is_array() || list.empty() || list.size() > kMostDevices) return wrong(rule);
  std::vector<std::string> result;
  for (const Json& device : list) {
    if (!device.is_string()) return wrong(rule);
    result.push_back(device.get<std::string>());
  }
  return result;
}

}  // namespace

Result<SpeedWish> parse_speed_wish(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object()) return wrong(R"(the body must be JSON such as {"speed_multiplier": 0.5, "seconds": 600})");
  SpeedWish wish;
  bool has_speed = false;
  for (const auto& [key, value] : document.items()) {
    if (key == "speed_multiplier") {
      wish.speed = value.is_number() ? value.get<double>() : -1;
      if (wish.speed != 0.8 && wish.speed != 0.5 && wish.speed != 0) {
        return wrong("speed_multiplier takes 0.8, 0.5 or 0; for full speed take the request back (DELETE)");
      }
      has_speed = true;
    } else if (key == "seconds") {
      auto length = length_of(value);
      if (!length) return tl::make_unexpected(length.error());
      wish.length = *length;
    } else if (key == "devices") {
      auto devices = devices_of(value);
      if (!devices) return tl::make_unexpected(devices.error());
      wish.devices = std::move(*devices);
    } else {
      return wrong(
          fmt::format("'{}' is not known here: speed_multiplier, seconds and devices are", fit(harmless(key), 64)));
    }
  }
  if (!has_speed) return wrong("speed_multiplier is missing: 0.8, 0.5 or 0");
  return wish;
}

Response ThrottleAnswer::read(const Request& request, const Snapshot& snapshot) const {
  if (snapshot.sequence == 0) return starting();
  const auto chosen = selectors(request);
  if (!chosen) return refusal(chosen.error());
  const auto selected = select_devices(snapshot, *chosen);
  if (!selected) return refusal(selected.error());
  ThrottleReport report = throttle_report(*selected);
  report.changes = changes(*selected, chosen->empty());
  return json_answer(200, throttle_report_json(report, false) + "\n");
}

// Of these devices, and of the one that a partition belongs to; of those that have gone only where all are asked for.
std::vector<ThrottleReport::Change> ThrottleAnswer::changes(const Snapshot& selected, bool all) const {
  std::vector<ThrottleReport::Change> result;
  for (const ActuatorReport& each : changes_ ? changes_() : std::vector<ActuatorReport>()) {
    const bool meant = all || std::ranges::any_of(selected.devices, [&](const DeviceSnapshot& device) {
                         return device.device->parent.value_or(device.device->id) == each.name.device;
                       });
    if (!meant) continue;
    const bool held = !each.set.empty();
    result.push_back({.uuid = each.name.device.text,
                      .kind = std::string(to_string(each.name.kind)),
                      .place = each.name.place,
                      .found = each.found,
                      .set = each.set,
                      .effective = each.effective,
                      .reason = each.reason,
                      .since = held ? std::optional(each.since) : std::nullopt,
                      .problem = each.message});
  }
  return result;
}

Response ThrottleAnswer::ask(const Request& request, const Snapshot& snapshot) const {
  if (snapshot.sequence == 0) return starting();
  const auto wish = parse_speed_wish(request.body);
  if (!wish) return refusal(wish.error());
  const auto ids = devices(wish->devices, snapshot);
  if (!ids) return refusal(ids.error());
  OperatorRequest asked{
      .device = std::nullopt, .multiplier = wish->speed, .who = request.who.name, .until = std::nullopt};
  Json until;
  if (wish->length) {
    until = rfc3339(snapshot.taken_at + std::chrono::duration_cast<WallTime::duration>(*wish->length));
  }
  const bool taken = post_([asked, length = wish->length, ids = *ids](Engine& engine) mutable {
    asked.since = engine.clock().wall();
    if (length) asked.until = engine.clock().now() + *length;
    if (ids.empty()) static_cast<void>(engine.governor().request(asked));
    for (const DeviceId& id : ids) {
      asked.device = id;
      static_cast<void>(engine.governor().request(asked));  // its one error was ruled out above
    }
  });
  if (!taken) return not_taken();
  return json_answer(
      202,
      dump({{"devices", names(*ids)}, {"speed_multiplier", wish->speed}, {"until", std::move(until)}}, false) + "\n");
}

Response ThrottleAnswer::take_back(const Request& request, const Snapshot& snapshot) const {
  if (snapshot.sequence == 0) return starting();
  const auto chosen = selectors(request);
  if (!chosen) return refusal(chosen.error());
  const auto ids = devices(*chosen, snapshot);
  if (!ids) return refusal(ids.error());
  const bool taken = post_([ids = *ids](Engine& engine) {
    if (ids.empty()) engine.governor().clear_all();
    for (const DeviceId& id : ids) engine.governor().clear(id);
  });
  if (!taken) return not_taken();
  return json_answer(202, dump({{"devices", names(*ids)}}, false) + "\n");
}

}  // namespace gpukeeper::service
