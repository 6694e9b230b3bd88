#include "cli/forecast.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/notes.hpp"
#include "cli/past_of_daemon.hpp"
#include "cli/stretch.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "forecast/forecast_json.hpp"

namespace gpukeeper::cli {
namespace {

using forecast::Course;
using forecast::ForecastView;
using forecast::Reach;
using std::chrono::seconds;

bool is_memory(const ForecastView::MetricPart& part) {
  return part.metric == "memory_used_bytes";
}

std::string_view word_of(const ForecastView::MetricPart& part) {
  return is_memory(part) ? "memory" : part.metric == "temperature_hotspot_celsius" ? "hotspot" : "temperature";
}

std::string value_text(const ForecastView::MetricPart& part, double value, const RenderOptions& render) {
  if (is_memory(part)) return size_text(static_cast<std::uint64_t>(std::llround(std::max(0.0, value))));
  return fmt::format("{:.1f} {}", value, render.utf8 ? "°C" : "C");
}

// "65.1 to 66.8 °C"
std::string interval_text(const ForecastView::MetricPart& part, const forecast::Point& p, const RenderOptions& render) {
  const std::string high = value_text(part, p.high, render);
  if (is_memory(part)) return fmt::format("{} to {}", value_text(part, p.low, render), high);
  return fmt::format("{:.1f} to {}", p.low, high);
}

std::string_view how(Course course) {
  switch (course) {
    case Course::stays: return "stays";
    case Course::levels_off: return "levels off";
    case Course::straight: return "straight";
    case Course::returns: return "average";
    case Course::power: return "power";
    case Course::repeats: return "repeats";
  }
  return "stays";
}

void add_rows(Table& table, const ForecastView::MetricPart& part, const RenderOptions& render) {
  const auto text = [&](double value) { return value_text(part, value, render); };
  std::string name(word_of(part));
  for (const auto& ahead : part.ahead) {
    if (!ahead.point) break;
    const forecast::Point& p = *ahead.point;
    table.add_row({std::move(name),
                   age_text(ahead.ahead),
                   {text(p.expected), Ink::strong},
                   interval_text(part, p, render),
                   text(p.error),
                   text(p.error_if_stays),
                   std::string(how(p.course))});
    name.clear();
  }
}

Table table_of() {
  using enum Column::Align;
  return Table({{.header = "METRIC"},
                {.header = "IN", .align = right},
                {.header = "EXPECTED", .align = right},
                {.header = "8 OF 10 LIE IN", .priority = 90},
                {.header = "OFF BY", .align = right, .priority = 80},
                {.header = "IF STAYING", .align = right, .priority = 20},
                {.header = "HOW", .priority = 30}});
}

std::string crossing_text(const forecast::Crossing& c) {
  const std::string within = age_text(c.within);
  switch (c.reach) {
    case Reach::reached: return "is there already";
    case Reach::unknown: return "cannot be said";
    case Reach::not_within: return fmt::format("not within {}", within);
    case Reach::possible:
      return fmt::format("not expected within {}, and possible in {}", within, age_text(*c.earliest));
    case Reach::expected: break;
  }
  return fmt::format("in {}; {} at the earliest, {}", age_text(*c.expected), age_text(c.earliest.value_or(*c.expected)),
                     c.latest ? age_text(*c.latest) + " at the latest" : "perhaps not within " + within);
}

Ink ink_of(Reach reach) {
  switch (reach) {
    case Reach::reached:
    case Reach::expected: return Ink::warn;
    case Reach::possible: return Ink::strong;
    case Reach::not_within: return Ink::good;
    case Reach::unknown: break;
  }
  return Ink::faint;
}

void add_lines(std::string& page, const Span& text, const RenderOptions& render) {
  for (const std::string& line : wrapped({"  "}, text, render)) page += line + '\n';
}

// What stands below the rows: when limits are reached, and what cannot be said.
void add_notes(std::string& page, const ForecastView::MetricPart& part, const RenderOptions& render) {
  for (const auto& limit : part.limits) {
    const auto what = limit.name == "full" ? std::string("memory full") : limit.name;
    add_lines(page,
              {fmt::format("{} at {}: {}", what, value_text(part, limit.value, render), crossing_text(limit.crossing)),
               ink_of(limit.crossing.reach)},
              render);
  }
  const auto missing = std::ranges::find_if(part.ahead, [](const auto& ahead) { return !ahead.point; });
  const std::string& reason = missing == part.ahead.end() ? part.reason : missing->reason;
  if (!reason.empty()) add_lines(page, {fmt::format("{}: {}", word_of(part), reason), Ink::faint}, render);
}

Result<ForecastView> watched(const ForecastOptions& options, Context& context) {
  StretchOptions stretch{
      .sources = options.sources,
      .length = options.length,
      .metrics = {"temperature_celsius", "temperature_hotspot_celsius", "power_watts", "memory_used_bytes"}};
  if (!stretch.length && is_played(options.sources) && !names_recording(options.sources)) {
    stretch.length = kPlayedForForecast;
  }
  const auto session = watch_stretch(std::move(stretch), context);
  if (!session) return tl::make_unexpected(session.error());
  Engine& engine = (*session)->engine();
  return forecast::gather_forecasts(*engine.history(), nullptr, *engine.snapshot(), options.devices);
}

// Who names a source, or says how long to watch, wants no memories.
bool asks_daemon(const ForecastOptions& options) {
  return !options.daemon.empty() || (options.sources.empty() && !options.length);
}

Result<ForecastView> known(const ForecastOptions& options, Context& context) {
  if (asks_daemon(options)) {
    const auto target = target_of("/api/v1/forecast", {{"device", fmt::format("{}", fmt::join(options.devices, ","))}});
    const auto answer = ask_daemon(target, options.daemon, context);
    if (!answer) return tl::make_unexpected(answer.error());
    if (*answer) return forecast::parse_forecasts(**answer);
  }
  return watched(options, context);
}

}  // namespace

std::string render_forecasts(const ForecastView& view, const RenderOptions& render) {
  std::string page;
  for (const auto& part : view.devices) {
    if (!page.empty()) page += '\n';
    std::chrono::nanoseconds stands_on{0};
    for (const auto& metric : part.metrics) stands_on = std::max(stands_on, metric.known);
    page += paint({{fmt::format("GPU {}  ", harmless(part.index, render.utf8)), Ink::strong},
                   {harmless(part.name, render.utf8), Ink::strong},
                   {part.simulated  ? "  simulated"
                    : part.recorded ? "  recorded"
                                    : "",
                    Ink::warn},
                   {fmt::format("  from {} of readings", age_text(stands_on)), Ink::faint}},
                  render) +
            '\n';
    Table table = table_of();
    for (const auto& metric : part.metrics) add_rows(table, metric, render);
    if (!table.empty()) {
      for (const std::string& line : table.render(render)) page += line + '\n';
    }
    for (const auto& metric : part.metrics) add_notes(page, metric, render);
  }
  return page.empty() ? "There is no GPU: gpukeeper doctor says why.\n" : page;
}

Exit forecast(const ForecastOptions& options, Context& context) {
  if (options.form == ForecastOptions::Form::schema) return print(context, forecast::forecast_schema());
  const auto view = known(options, context);
  if (!view) return tl::make_unexpected(view.error());
  if (options.form == ForecastOptions::Form::json) return print(context, forecast::forecast_json(*view, true) + "\n");
  return print(context, render_forecasts(*view, render_options(context)));
}

}  // namespace gpukeeper::cli
