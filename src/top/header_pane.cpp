#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "format/human.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

constexpr auto kOld = std::chrono::seconds(4);  // of a picture: older ones are remarkable

// "simulated" where all are, "partly simulated" where some are: what is not real never looks as if it were.
std::string origin_of(const Snapshot& snapshot) {
  std::size_t simulated = 0, recorded = 0;
  for (const DeviceSnapshot& d : snapshot.devices) {
    simulated += d.device->simulated ? 1u : 0u;
    recorded += !d.device->simulated && d.device->recorded ? 1u : 0u;
  }
  const auto word = [&](std::size_t count, std::string_view what) {
    return count == 0                         ? std::string()
           : count == snapshot.devices.size() ? std::string(what)
                                              : fmt::format("partly {}", what);
  };
  std::string text = word(simulated, "simulated");
  if (const std::string other = word(recorded, "recorded"); !other.empty()) text += (text.empty() ? "" : ", ") + other;
  return text;
}

std::string machine_of(const News& news, const Snapshot& snapshot) {
  if (news.origin.empty()) return snapshot.host;
  return snapshot.host.empty() ? news.origin : fmt::format("{} at {}", snapshot.host, news.origin);
}

std::string seconds_text(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  return seconds >= 3600 ? fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
                         : fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

// Right of the title: of when it is.
std::vector<Span> time_of(const Scene& scene) {
  const Model& model = scene.model;
  const News& news = model.news();
  if (!model.has_snapshot()) return {{"waiting for the first look", {Role::faint}}};
  std::vector<Span> spans;
  const std::string time = local_time(model.snapshot().taken_at, model.utc_offset());
  if (const auto& playing = news.playing) {
    const std::string_view sign = playing->ended ? "■ " : playing->paused ? "⏸ " : "▶ ";
    std::string pace = playing->ended    ? "at its end"
                       : playing->paused ? "paused"
                                         : fmt::format("{:g}×", playing->speed);
    if (playing->seeks) {
      pace += fmt::format("  {} of {}", seconds_text(playing->at - playing->begin),
                          seconds_text(playing->end - playing->begin));
    }
    return {{sign, {Role::accent}}, {pace + "  "}, {time}};
  }
  const auto age = model.age();
  if (model.held()) {
    spans.push_back({fmt::format("⏸ held, {} old  ", age_text(age)), {Role::throttled, true}});
  } else if (age >= kOld) {
    spans.push_back({fmt::format("{} old  ", age_text(age)), {Role::throttled, true}});
  } else {
    spans.push_back({age < std::chrono::seconds(2) ? "live  " : fmt::format("{} old  ", age_text(age)), {Role::faint}});
  }
  spans.push_back({time});
  return spans;
}

std::size_t columns_of(const std::vector<Span>& spans, bool utf8) {
  Canvas canvas(400, 1, utf8);
  return Area(canvas, {0, 0, 400, 1}).line(0, 0, spans);
}

// What all of them draw and hold together; what one does not tell is left out, and said.
std::string sums_of(const Snapshot& snapshot) {
  double watts = 0, limit = 0, used = 0, total = 0;
  bool any_power = false, all_limits = true, any_memory = false;
  for (const DeviceSnapshot& d : snapshot.devices) {
    if (d.reading.power) {
      watts += d.reading.power->value();
      any_power = true;
      all_limits &= d.reading.power_limit.has_value();
      if (d.reading.power_limit) limit += d.reading.power_limit->value();
    }
    if (d.reading.memory_used && d.reading.memory_total) {
      any_memory = true;
      used += static_cast<double>(d.reading.memory_used->value());
      total += static_cast<double>(d.reading.memory_total->value());
    }
  }
  std::string text;
  if (any_power) text += all_limits ? fmt::format("{:.0f}/{:.0f} W", watts, limit) : fmt::format("{:.0f} W", watts);
  if (any_memory) {
    text += fmt::format("{}{:.0f}/{:.0f} GiB", text.empty() ? "" : " · ", used / (1u << 30), total / (1u << 30));
  }
  return text;
}

std::vector<Span> states_of(const Snapshot& snapshot) {
  std::map<std::string_view, std::pair<std::size_t, Role>> counts;
  for (const DeviceSnapshot& d : snapshot.devices) {
    const StateLook look = look_of(d);
    counts.try_emplace(look.word, 0, look.role).first->second.first += 1;
  }
  std::vector<Span> spans;
  for (const std::string_view word : {"critical", "unavailable", "throttled", "normal", "optimal", "asleep"}) {
    const auto found = counts.find(word);
    if (found == counts.end()) continue;
    spans.push_back(
        {fmt::format("{}{} {}", spans.empty() ? "" : ", ", found->second.first, word), {found->second.second}});
  }
  return spans;
}

void draw_lamps(const Scene& scene, const Area& area) {
  const Snapshot& snapshot = scene.model.snapshot();
  std::vector<Span> spans{{" lamps ", {Role::faint}}};
  for (const DeviceSnapshot& d : snapshot.devices) {
    const StateLook look = look_of(d.lamp);
    spans.push_back({look.sign, {look.role}});
  }
  spans.push_back({"  "});
  for (Span& span : states_of(snapshot)) spans.push_back(std::move(span));
  if (area.height() < 2) return;
  const std::size_t end = area.line(0, 1, spans);
  const std::string sums = sums_of(snapshot);
  if (end + sums.size() + 3 < area.width()) area.put_right(area.width() - 1, 1, sums, {Role::faint});
}

}  // namespace

void draw_header(const Scene& scene, const Area& area) {
  const Model& model = scene.model;
  const Snapshot& snapshot = model.snapshot();
  const auto time = time_of(scene);
  const std::size_t time_width = columns_of(time, area.utf8());
  const std::size_t at = area.width() > time_width + 1 ? area.width() - time_width - 1 : 0;
  const Area left = area.part({0, 0, at > 2 ? at - 2 : 0, area.height()});
  const StateLook lamp = look_of(snapshot.lamp);
  std::vector<Span> title{{" "}, {lamp.sign, {lamp.role, true}}, {" gpukeeper", {Role::strong}}};
  if (const std::string machine = machine_of(model.news(), snapshot); !machine.empty())
    title.push_back({" · " + machine});
  if (const std::string origin = origin_of(snapshot); !origin.empty()) {
    title.push_back({" · "});
    title.push_back({origin, {Role::throttled}});
  }
  if (model.has_snapshot()) title.push_back({fmt::format(" · lamp {}", lamp.word), {lamp.role}});
  if (!model.has_snapshot()) title = {{" "}, {"gpukeeper", {Role::strong}}};
  left.line(0, 0, title);
  area.line(at, 0, time);
  draw_lamps(scene, area);
}

}  // namespace gpukeeper::top
