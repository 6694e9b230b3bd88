#include "cli/trend.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/notes.hpp"
#include "cli/past_of_daemon.hpp"
#include "cli/stretch.hpp"
#include "core/display_text.hpp"
#include "format/human.hpp"
#include "format/sparkline.hpp"

namespace gpukeeper::cli {
namespace {

Ink ink_of(const TemperatureTrend& trend) {
  if (trend.trend.direction == TrendDirection::rising) return trend.until ? Ink::warn : Ink::strong;
  return trend.trend.direction == TrendDirection::falling ? Ink::good : Ink::plain;
}

std::string_view origin_of(const TrendView::DevicePart& part) {
  return part.simulated ? "  simulated" : part.recorded ? "  recorded" : "";
}

// What was seen of the time that is looked back, which may have begun a moment ago.
std::string time_seen(const TrendView& view, const TrendView::DevicePart& part) {
  const bool all = !part.trend || part.seen >= view.window * 9 / 10;
  return all ? fmt::format("the last {} min", view.window.count()) : "the last " + age_text(part.seen);
}

void add_trend(std::string& page, const TrendView::DevicePart& part, const RenderOptions& render) {
  const auto add = [&](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) page += line + '\n';
  };
  if (!part.trend) {
    add(wrapped({"  "}, {part.reason, Ink::faint}, render));
    return;
  }
  const Trend& t = part.trend->trend;
  page += paint({{"  "}, {sparkline_spread(part.recent, TrendView::kRecent, render.utf8), Ink::faint}}, render) + '\n';
  add(wrapped({"  "}, {trend_sentence(*part.trend, render.utf8), ink_of(*part.trend)}, render));
  std::string facts = fmt::format("{} readings, {:.1f} to {:.1f} {}, {:.1f} on average", t.count, t.min, t.max,
                                  render.utf8 ? "°C" : "C", t.avg);
  if (t.spikes > 0) facts += fmt::format("; {} of them so far off that they are not counted", t.spikes);
  add(wrapped({"  "}, {facts, Ink::faint}, render));
}

Result<TrendView> watched_trends(const TrendOptions& options, Context& context) {
  StretchOptions stretch{.sources = options.sources, .length = options.length};
  // Played time costs nothing: as much of it as is looked at.
  if (!stretch.length && is_played(options.sources) && !names_recording(options.sources)) {
    stretch.length = std::max<std::chrono::nanoseconds>(options.window, kUsualPlayed);
  }
  const auto session = watch_stretch(std::move(stretch), context);
  if (!session) return tl::make_unexpected(session.error());
  Engine& engine = (*session)->engine();
  return gather_trends(*engine.history(), *engine.snapshot(), *engine.leak_suspects(), options.devices, options.window);
}

// Who names a source, or says how long to watch, wants no memories.
bool asks_daemon(const TrendOptions& options) {
  return !options.daemon.empty() || (options.sources.empty() && !options.length);
}

Result<TrendView> known_trends(const TrendOptions& options, Context& context) {
  if (asks_daemon(options)) {
    const auto target = target_of("/api/v1/trend", {{"device", fmt::format("{}", fmt::join(options.devices, ","))},
                                                    {"minutes", fmt::format("{}", options.window.count())}});
    const auto answer = ask_daemon(target, options.daemon, context);
    if (!answer) return tl::make_unexpected(answer.error());
    if (*answer) return parse_trends(**answer);
  }
  return watched_trends(options, context);
}

}  // namespace

std::string render_trends(const TrendView& view, const RenderOptions& render) {
  std::string page;
  for (const auto& part : view.devices) {
    if (!page.empty()) page += '\n';
    page += paint({{fmt::format("GPU {}  ", part.index), Ink::strong},
                   {harmless(part.name, render.utf8), Ink::strong},
                   {std::string(origin_of(part)), Ink::warn},
                   {"  " + time_seen(view, part), Ink::faint}},
                  render) +
            '\n';
    add_trend(page, part, render);
  }
  if (view.devices.empty()) page = "There is no GPU: gpukeeper doctor says why.\n";
  if (!view.leaks.empty()) page += '\n';
  for (const LeakSuspect& leak : view.leaks) {
    for (const std::string& line : wrapped({"! ", Ink::warn}, {leak_sentence(leak), Ink::warn}, render)) {
      page += line + '\n';
    }
  }
  return page;
}

Exit trend(const TrendOptions& options, Context& context) {
  if (options.form == TrendOptions::Form::schema) return print(context, trend_schema());
  const auto view = known_trends(options, context);
  if (!view) return tl::make_unexpected(view.error());
  if (options.form == TrendOptions::Form::json) return print(context, trend_json(*view, true) + "\n");
  return print(context, render_trends(*view, render_options(context)));
}

}  // namespace gpukeeper::cli
