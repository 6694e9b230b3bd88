#include "recording/frames.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "core/text.hpp"

namespace gpukeeper::recording {
namespace {

// Ours are 9 deep. What unpacks and merges goes down as deep as a line is nested, on a stack that ends somewhere.
constexpr int kDeepest = 32;
// Some 30 years; and a time in nanoseconds still fits 63 bits.
constexpr double kLongest = 1e9;
// A wall clock that is put right moves further than its usual drift within a member.
constexpr auto kWallJump = std::chrono::milliseconds(50);

double seconds(Offset at) {
  return static_cast<double>(at.count()) / 1000;
}

std::optional<Offset> offset_member(const Json& json, std::string_view name) {
  const auto value = number_member(json, name);
  if (!value || !(*value >= 0 && *value <= kLongest)) return std::nullopt;
  return Offset(std::llround(*value * 1000));
}

bool too_deep(std::string_view line) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T, class Write>
Json call_json(const Call<T>& call, const Write& write) {
  Json json = Json::object();
  if (call.outcome && *call.outcome) {
    json["value"] = write(*call.outcome);
  } else if (call.outcome) {
    json["error"] = to_json(call.outcome->error());
  }
  if (call.pending_since) json["since"] = seconds(*call.pending_since);
  return json;
}

template <class T, class Read>
Call<T> call_from(const Json& json, const Read& read) {
  Call<T> call;
  if (const Json* error = member(json, "error")) {
    call.outcome = Result<T>(tl::make_unexpected(error_from(*error)));
  } else if (const Json* value = member(json, "value")) {
    call.outcome = read(*value);
  }
  call.pending_since = offset_member(json, "since");
  return call;
}

Json list_json(const std::vector<Device>& devices) {
  Json json = Json::array();
  for (const Device& device : devices) json.push_back(to_json(device));
  return json;
}

Json processes_json(const std::vector<GpuProcess>& processes) {
  Json json = Json::object();
  for (const GpuProcess& process : processes) json[fmt::format("{}", process.pid)] = to_json(process);
  return json;
}

Json source_json(const SourceCalls& source) {
  Json devices = Json::object();
  for (const auto& [id, calls] : source.devices) {
    Json& device = devices[id.text] = Json::object();
    device["reading"] = call_json(calls.reading, [](const auto& r) { return to_json(*r); });
    Json processes = call_json(calls.processes, [](const auto& p) { return processes_json(*p); });
    if (!processes.empty()) device["processes"] = std::move(processes);
  }
  return {{"list", call_json(source.list, [](const auto& l) { return list_json(*l); })},
          {"devices", std::move(devices)}};
}

// The devices in an order that a sampler can rely on: each once, partitions behind their device.
Result<std::vector<Device>> list_from(const Json& json, const std::string& source, Notes& notes) {
  std::vector<Device> devices;
  if (!json.is_array()) return devices;
  for (const Json& each : json) {
    Device device = device_from(each, notes);
    const auto same = [&](const Device& other) { return other.id == device.id; };
    if (device.id.text.empty() || std::ranges::any_of(devices, same)) continue;
    if (device.parent &&
        (devices.empty() || (devices.back().id != *device.parent && devices.back().parent != device.parent))) {
      continue;
    }
    if (device.parent && !device.partition) device.partition = "partition";
    if (device.name.empty()) device.name = "a GPU without a name";
    device.source = source;
    devices.push_back(std::move(device));
  }
  return devices;
}

Result<std::vector<GpuProcess>> processes_from(const Json& json, Notes& notes) {
  std::vector<GpuProcess> processes;
  if (!json.is_object()) return processes;
  for (const auto& [pid, process] : json.items()) {
    const auto number = parse_i64(pid);
    if (number && *number > 0 && process.is_object()) processes.push_back(process_from(*number, process, notes));
  }
  std::ranges::sort(processes, {}, &GpuProcess::pid);
  const auto same = [](const GpuProcess& a, const GpuProcess& b) { return a.pid == b.pid; };  // "7" and "07"
  processes.erase(std::unique(processes.begin(), processes.end(), same),
                  processes.end());  // clang 14: no ranges::unique
  return processes;
}

std::vector<std::string> names_in(const Json& json, std::string_view name) {
  std::vector<std::string> names;
  const Json* array = member(json, name);
  if (array == nullptr || !array->is_array()) return names;
  for (const Json& each : *array) {
    if (each.is_string() && !each.get_ref<const std::string&>().empty()) names.push_back(each.get<std::string>());
  }
  return names;
}

Call<Reading> reading_call(const Json& device, Notes& notes) {
  const Json* call = member(device, "reading");
  return call == nullptr
             ? Call<Reading>()
             : call_from<Reading>(*call, [&](const Json& v) { return Result<Reading>(reading_from(v, notes)); });
}

Call<std::vector<GpuProcess>> processes_call(const Json& device, Notes& notes) {
  const Json* call = member(device, "processes");
  return call == nullptr
             ? Call<std::vector<GpuProcess>>()
             : call_from<std::vector<GpuProcess>>(*call, [&](const Json& v) { return processes_from(v, notes); });
}

}  // namespace

std::vector<std::string> keys_of(const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) {
    std::string key = name;
    for (int n = 2; std::ranges::find(keys, key) != keys.end(); ++n) key = fmt::format("{}#{}", name, n);
    keys.push_back(std::move(key));
  }
  return keys;
}

Json to_json(const Header& header) {
  return {{"format", kFormat},
          {"started", rfc3339(header.started)},
          {"host", header.host},
          {"program", header.program},
          {"simulated", header.simulated},
          {"sources", header.sources},
          {"event_sources", header.event_sources}};
}

Json to_json(const State& state) {
  std::vector<std::string> names;
  for (const SourceCalls& source : state.sources) names.push_back(source.name);
  const auto keys = keys_of(names);
  Json sources = Json::object();
  for (std::size_t i = 0; i < keys.size(); ++i) sources[keys[i]] = source_json(state.sources[i]);

  names.clear();
  for (const EventCalls& source : state.event_sources) names.push_back(source.name);
  const auto event_keys = keys_of(names);
  Json events = Json::object();
  for (std::size_t i = 0; i < event_keys.size(); ++i) {
    events[event_keys[i]] = call_json(state.event_sources[i].take, [](const auto&) { return true; });
  }
  return {{"sources", std::move(sources)}, {"event_sources", std::move(events)}};
}

Json difference(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& [name, value] : to.items()) {
    const auto old = from.find(name);
    if (old == from.end()) {
      patch[name] = value;
    } else if (*old != value) {
      patch[name] = old->is_object() && value.is_object() ? difference(*old, value) : value;
    }
  }
  for (const auto& [name, value] : from.items()) {
    if (!to.contains(name)) patch[name] = nullptr;
  }
  return patch;
}

std::string FrameWriter::line(const Frame& frame, const char* what, const Json& content, bool with_wall) {
  std::string text = fmt::format("{{\"t\":{}", seconds(frame.at));
  if (with_wall) text += fmt::format(",\"wall\":\"{}\"", rfc3339(frame.wall));
  if (!content.empty()) text += fmt::format(",\"{}\":{}", what, dump(content));
  if (!frame.events.empty()) {
    std::vector<std::string> names;
    for (const EventCalls& source : frame.state.event_sources) names.push_back(source.name);
    const auto keys = keys_of(names);
    Json events = Json::array();
    for (const TakenEvent& taken : frame.events) {
      Json event = to_json(taken.event);
      event["from"] = keys.at(taken.source);
      events.push_back(std::move(event));
    }
    text += fmt::format(",\"events\":{}", dump(events));
  }
  return text + "}\n";
}

std::string FrameWriter::first(const Header& header, const Frame& frame) {
  // The format stands at the begin of the line, so that every tool can see it there.
  Json rest = to_json(header);
  rest.erase("format");
  last_ = to_json(frame.state);
  last_at_ = frame.at;
  last_wall_ = frame.wall;
  return fmt::format("{{\"format\":\"{}\",{}\n", kFormat, dump(rest).substr(1)) + line(frame, "state", last_, true);
}

std::string FrameWriter::next(const Frame& frame) {
  Json state = to_json(frame.state);
  const Json change = difference(last_, state);
  last_ = std::move(state);
  const auto off = frame.wall - (last_wall_ + (frame.at - last_at_));
  const bool jumped = off > kWallJump || off < -kWallJump;
  if (jumped) {
    last_at_ = frame.at;
    last_wall_ = frame.wall;
  }
  return line(frame, "change", change, jumped);
}

Result<void> FrameReader::look(std::string_view text) {
  if (too_deep(text)) return fail(Errc::invalid_argument, "a line is nested too deep");
  Json line = Json::parse(text, nullptr, false);
  if (!line.is_object()) return fail(Errc::invalid_argument, "a line is no JSON object");
  if (const auto format = text_member(line, "format")) {
    if (*format != kFormat) {
      return fail(Errc::not_supported,
                  fmt::format("it is of the format '{}'; this gpukeeper reads '{}': a newer one may read it",
                              printable(*format), kFormat));
    }
    read_header(line);
    return {};
  }
  const auto at = offset_member(line, "t");
  const bool whole = line.contains("state");
  if (!at || (!whole && !has_state_)) return {};  // of a later version, or its first frame is lost
  if (has_state_ && *at <= frame_.at) {
    // The key frame of the next member is a moment that is known already only where recordings were joined.
    notes_.say("frames whose time goes back are left out");
    return {};
  }
  line_ = std::move(line);
  pending_ = at;
  return {};
}

void FrameReader::read_header(const Json& line) {
  Header header;
  header.started = parse_rfc3339(text_member(line, "started").value_or("")).value_or(WallTime());
  header.host = text_member(line, "host").value_or("");
  header.program = text_member(line, "program").value_or("");
  header.simulated = flag_member(line, "simulated");
  header.sources = names_in(line, "sources");
  header.event_sources = names_in(line, "event_sources");
  if (header_) return;  // it stands before every key frame, and what replays it cannot change its backends
  source_keys_ = keys_of(header.sources);
  event_keys_ = keys_of(header.event_sources);
  header_ = std::move(header);
  if (has_state_) read_all();  // a state whose own header was lost: it has room for the sources from here on
}

void FrameReader::apply() {
  if (!pending_) return;
  const auto before = frame_.at;
  const bool first = !has_state_;
  frame_.at = *pending_;
  pending_.reset();
  if (const auto wall = parse_rfc3339(text_member(line_, "wall").value_or(""))) {
    frame_.wall = *wall;
  } else {
    frame_.wall += first ? frame_.at : frame_.at - before;
  }
  frame_.events.clear();
  if (const Json* events = member(line_, "events"); events != nullptr && events->is_array()) {
    for (const Json& event : *events) {
      const auto key = std::ranges::find(event_keys_, text_member(event, "from").value_or(""));
      if (key == event_keys_.end()) continue;
      frame_.events.push_back({static_cast<std::size_t>(key - event_keys_.begin()), event_from(event)});
    }
  }
  if (const auto state = line_.find("state"); state != line_.end()) {
    document_ = std::move(*state);
    has_state_ = true;
    read_all();
  } else if (const auto change = line_.find("change"); change != line_.end() && change->is_object()) {
    document_.merge_patch(*change);
    read_change(*change);
  }
}

void FrameReader::read_all() {
  frame_.state = {};
  if (header_) {
    for (const std::string& name : header_->sources) frame_.state.sources.push_back({.name = name});
    for (const std::string& name : header_->event_sources) frame_.state.event_sources.push_back({.name = name});
  }
  read_change(document_);
}

void FrameReader::read_change(const Json& change) {
  const Json* sources = member(document_, "sources");
  const Json* changed = member(change, "sources");
  for (std::size_t i = 0; sources != nullptr && changed != nullptr && i < source_keys_.size(); ++i) {
    const Json* source = member(*sources, source_keys_[i]);
    const Json* part = member(*changed, source_keys_[i]);
    if (source != nullptr && part != nullptr) read_source(frame_.state.sources[i], *source, *part);
  }
  const Json* events = member(document_, "event_sources");
  for (std::size_t i = 0; events != nullptr && i < event_keys_.size(); ++i) {
    const Json* source = member(*events, event_keys_[i]);
    if (source == nullptr) continue;
    frame_.state.event_sources[i].take = call_from<void>(*source, [](const Json&) { return Result<void>(); });
  }
}

void FrameReader::read_source(SourceCalls& source, const Json& json, const Json& change) {
  const Json* list = member(json, "list");
  if (list != nullptr && change.contains("list")) {
    source.list =
        call_from<std::vector<Device>>(*list, [&](const Json& value) { return list_from(value, source.name, notes_); });
  }
  const Json* devices = member(json, "devices");
  const Json* changed = member(change, "devices");
  if (changed == nullptr || !changed->is_object()) return;
  for (const auto& [id, part] : changed->items()) {
    const Json* device = devices == nullptr ? nullptr : member(*devices, id);
    if (device == nullptr) {
      source.devices.erase(DeviceId{id});
      continue;
    }
    DeviceCalls& calls = source.devices[DeviceId{id}];
    if (part.contains("reading")) calls.reading = reading_call(*device, notes_);
    if (part.contains("processes")) calls.processes = processes_call(*device, notes_);
  }
}

}  // namespace gpukeeper::recording
