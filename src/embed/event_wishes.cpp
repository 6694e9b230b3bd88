#include "embed/event_wishes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::embed {
namespace {

constexpr std::string_view kSpeed = "speed";
constexpr std::string_view kThrottle = "throttle";

template <class T>
Json number_or_null(const Metric<T>& metric) {
  return metric ? Json(metric->value()) : Json();
}

std::string known_names() {
  std::vector<std::string> names;
  for (const GovernorEventKind kind : kGovernorEventKinds) names.emplace_back(to_string(kind));
  for (const events::EventType type : events::event_types()) {
    const std::string_view name = to_string(type);
    std::string group(name_here(name.substr(0, name.find('.'))));
    if (std::ranges::find(names, group) == names.end()) names.push_back(std::move(group));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<std::uint32_t> index_in(const Json& payload, const Snapshot& snapshot) {
  if (!payload.is_object()) return std::nullopt;
  const auto index = payload.find("index");
  if (index != payload.end() && index->is_number_unsigned()) return index->get<std::uint32_t>();
  const auto device = payload.find("device");
  if (device == payload.end() || !device->is_string()) return std::nullopt;
  for (const DeviceSnapshot& each : snapshot.devices) {
    if (each.device->id.text == device->get<std::string>()) return each.index;
  }
  return std::nullopt;
}

}  // namespace

EventWishes EventWishes::all() {
  return {events::EventTypes::all(), {kGovernorEventKinds.begin(), kGovernorEventKinds.end()}};
}

std::string_view name_here(std::string_view type) {
  return type == kThrottle ? kSpeed : type;
}

Result<EventWishes> parse_event_wishes(std::string_view names) {
  if (names.empty()) return EventWishes::all();
  EventWishes wishes;
  for (const std::string_view name : split(names, ',')) {
    if (const auto kind = governor_event_kind(name)) {
      wishes.kinds.insert(*kind);
      continue;
    }
    const auto types = events::parse_event_types(name == kSpeed ? kThrottle : name);
    if (!types) {
      return fail(Errc::invalid_argument, fmt::format("types: there are no events called '{}': {} are known, and of a "
                                                      "group one kind as in alert.fired",
                                                      fit(harmless(name), 64), known_names()));
    }
    for (const events::EventType type : events::event_types()) {
      if (types->has(type)) wishes.types.add(type);
    }
  }
  return wishes;
}

ToldEvent told(std::uint64_t sequence, const GovernorEvent& event) {
  const DeviceSnapshot& device = *event.device;
  const Json json = {{"id", sequence},
                     {"type", to_string(event.kind)},
                     {"timestamp", rfc3339(event.at)},
                     {"payload",
                      {{"device", device.device->id.text},
                       {"index", device.index},
                       {"old_state", to_string(event.old_state)},
                       {"new_state", to_string(event.new_state)},
                       {"temperature_celsius", number_or_null(guarding_temperature(device.reading))},
                       {"memory_percent", number_or_null(memory_percent(device.reading))},
                       {"speed_multiplier", device.throttling.speed_multiplier}}}};
  return {sequence, std::string(to_string(event.kind)),
          device.parent_index ? device.parent_index : std::optional(device.index), dump(json, false)};
}

ToldEvent told(std::uint64_t sequence, const std::string& message, const Snapshot& snapshot) {
  Json json = Json::parse(message, nullptr, false);
  if (!json.is_object()) return {sequence, "message", std::nullopt, message};
  const auto type = json.find("type");
  const std::string name = type != json.end() && type->is_string() ? type->get<std::string>() : "message";
  ToldEvent event{sequence, std::string(name_here(name)), std::nullopt, {}};
  const auto payload = json.find("payload");
  if (payload != json.end()) event.device = index_in(*payload, snapshot);
  json["type"] = event.type;
  json["id"] = sequence;
  event.json = dump(json, false);
  return event;
}

std::set<GovernorEventKind> kinds_of(State before, State now, bool available) {
  using enum GovernorEventKind;
  std::set<GovernorEventKind> kinds;
  if (before == now) return kinds;
  kinds.insert(state_change);
  if (now == State::unavailable && !available) kinds.insert(device_lost);
  if (before == State::unavailable && available) kinds.insert(device_recovered);
  if (now == State::critical) kinds.insert(critical);
  if (now == State::throttled && before != State::critical) kinds.insert(throttle);
  const bool was_slow = before == State::throttled || before == State::critical;
  if (was_slow && (now == State::optimal || now == State::normal)) kinds.insert(resume);
  return kinds;
}

}  // namespace gpukeeper::embed
