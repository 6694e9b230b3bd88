#include "report/why_html.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format/columns.hpp"
#include "format/human.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"
#include "report/svg_chart.hpp"

namespace gpukeeper::report {
namespace {

std::string_view class_of(Tone tone) {
  switch (tone) {
    case Tone::good: return "good";
    case Tone::notice: return "notice";
    case Tone::bad: return "bad";
    case Tone::plain: break;
  }
  return "soft";
}

// Beside its colour, a tone says itself in words.
std::string_view word_of(Tone tone) {
  switch (tone) {
    case Tone::good: return "✓ good";
    case Tone::notice: return "● note";
    case Tone::bad: return "▲ look";
    case Tone::plain: break;
  }
  return "– fact";
}

// Each once: several limits may be the same.
void add_mark(Meter& meter, std::string name, double value) {
  if (value > 0 && value <= meter.most) meter.marks.push_back({std::move(name), value});
}

std::string temperature_meter(const DeviceSnapshot& device, const std::string& id) {
  const auto temperature = guarding_temperature(device.reading);
  if (!temperature) return "";
  const double throttle = device.throttling.thresholds.temp_throttle.value();
  const double slowdown = device.reading.temperature_slowdown ? device.reading.temperature_slowdown->value() : 0;
  Meter meter{.head = {.id = id + "-temperature", .title = "Temperature", .description = ""},
              .value = temperature->value(),
              .most = std::max(110.0, slowdown + 5),
              .text = fmt::format("{:.0f} °C", temperature->value())};
  add_mark(meter, fmt::format("throttled {:.0f} °C", throttle), throttle);
  if (slowdown > throttle + 8 || slowdown < throttle - 20) {
    add_mark(meter, fmt::format("slowdown {:.0f} °C", slowdown), slowdown);
  }
  meter.tone = meter.value >= throttle ? "bad" : "";
  meter.head.description = fmt::format("{}; work is throttled from {:.0f} °C on.", meter.text, throttle);
  return draw(meter);
}

std::string power_meter(const Reading& reading, const std::string& id) {
  if (!reading.power) return "";
  Meter meter{.head = {.id = id + "-power", .title = "Power", .description = ""}, .value = reading.power->value()};
  const double limit = reading.power_limit ? reading.power_limit->value() : 0;
  meter.most = std::max(limit * 1.1, meter.value);
  meter.text = limit > 0 ? fmt::format("{:.0f} of {:.0f} W", meter.value, limit) : fmt::format("{:.0f} W", meter.value);
  add_mark(meter, fmt::format("limit {:.0f} W", limit), limit);
  meter.head.description = meter.text;
  return draw(meter);
}

std::string use_meter(const Reading& reading, const std::string& id) {
  if (!reading.utilization) return "";
  Meter meter{.head = {.id = id + "-use", .title = "Use", .description = ""}, .value = reading.utilization->value()};
  meter.text = fmt::format("{:.0f} %", meter.value);
  meter.head.description = meter.text;
  return draw(meter);
}

std::string memory_meter(const Reading& reading, const std::string& id) {
  const auto percent = memory_percent(reading);
  if (!percent) return "";
  Meter meter{.head = {.id = id + "-memory", .title = "Memory", .description = ""}, .value = percent->value()};
  meter.text =
      fmt::format("{} of {}", size_text(reading.memory_used->value()), size_text(reading.memory_total->value()));
  meter.head.description = meter.text;
  meter.tone = meter.value >= 95 ? "bad" : "";
  return draw(meter);
}

std::string meters_of(const Snapshot& snapshot, const DeviceDiagnosis& asked, std::size_t number) {
  const std::string id = fmt::format("g{}", number);
  for (const Place& place : places(snapshot)) {
    if (place.device->device->id.text != asked.uuid) continue;
    const DeviceSnapshot& device = *place.device;
    return temperature_meter(device, id) + power_meter(device.reading, id) + use_meter(device.reading, id) +
           memory_meter(device.reading, id);
  }
  return "";
}

std::string list_of(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += fmt::format("<p>{}</p>\n", escaped(sentence));
  return text;
}

std::string answer_of(const Diagnosis& answer) {
  std::string text = fmt::format("<h3>{}</h3>\n<p><b class=\"{}\">{}</b> {}</p>\n", escaped(question(answer.topic)),
                                 class_of(answer.tone), word_of(answer.tone), escaped(answer.verdict));
  text += list_of(answer.evidence);
  for (const std::string& cause : answer.other_causes) {
    text += fmt::format("<p class=\"soft\">It could also be: {}.</p>\n", escaped(cause));
  }
  for (const std::string& advice : answer.advice) text += fmt::format("<p class=\"good\">→ {}</p>\n", escaped(advice));
  return text;
}

}  // namespace

std::string why_html(const Snapshot& snapshot, const DiagnosisReport& report, std::chrono::seconds utc_offset) {
  std::string body = fmt::format("<h1>Why the GPUs are as they are</h1>\n<p class=\"soft\">{} · {}</p>\n",
                                 escaped(snapshot.host), local_time(snapshot.taken_at, utc_offset));
  body += fmt::format("<p><b>{}</b></p>\n", escaped(report.summary));
  for (const std::string& warning : report.warnings) {
    body += fmt::format("<p><b class=\"bad\">▲ {}</b></p>\n", escaped(warning));
  }
  std::size_t number = 0;
  for (const DeviceDiagnosis& device : report.devices) {
    const std::string_view origin = device.simulated ? "Simulated" : device.recorded ? "Recorded" : "";
    body += fmt::format("<div class=\"card part\"><h2>GPU {} · {}{}</h2>\n<div class=\"pair\"><div>\n",
                        escaped(device.index), escaped(device.name),
                        origin.empty() ? "" : fmt::format(" <span class=\"label\">{}</span>", origin));
    for (const Diagnosis& answer : device.answers) body += answer_of(answer);
    body += fmt::format("</div><div>\n{}</div></div></div>\n", meters_of(snapshot, device, number++));
  }
  return page(fmt::format("Why: GPUs of {}", snapshot.host), body);
}

}  // namespace gpukeeper::report
