#include "cli/history.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/past_of_daemon.hpp"
#include "cli/stretch.hpp"
#include "core/display_text.hpp"
#include "format/fault_query.hpp"
#include "format/plot.hpp"

namespace gpukeeper::cli {
namespace {

using Form = HistoryOptions::Form;
using Buckets = std::vector<std::optional<HistoryBucket>>;

// All buckets as one; nothing when none has a sample.
std::optional<HistoryBucket> summed_up(const Buckets& buckets) {
  std::optional<HistoryBucket> all;
  for (const auto& bucket : buckets) {
    if (!bucket) continue;
    if (!all) {
      all = bucket;
      continue;
    }
    const auto count = static_cast<double>(all->count), more = static_cast<double>(bucket->count);
    all->avg = (all->avg * count + bucket->avg * more) / (count + more);
    all->count += bucket->count;
    all->min = std::min(all->min, bucket->min);
    all->max = std::max(all->max, bucket->max);
    all->last = bucket->last;
  }
  return all;
}

std::string number(double value, const PlotUnit& unit) {
  const double scaled = value / unit.divisor;
  return scaled == std::floor(scaled) ? fmt::format("{:.0f}", scaled) : fmt::format("{:.1f}", scaled);
}

// Every column of dots shows the buckets that lie in its piece of time, or the one in which it lies.
std::vector<std::optional<PlotColumn>> columns_of(const HistoryView& view, const Buckets& buckets, std::size_t count) {
  std::vector<std::optional<PlotColumn>> columns(count);
  const double steps = std::chrono::duration<double>(view.to - view.from) / std::chrono::duration<double>(view.step);
  const double width = steps / static_cast<double>(count);  // of a column, in buckets
  for (std::size_t x = 0; x < count; ++x) {
    const auto first = static_cast<std::size_t>(static_cast<double>(x) * width);
    const auto end = std::max(first + 1, static_cast<std::size_t>(static_cast<double>(x + 1) * width));
    for (std::size_t i = first; i < std::min(end, buckets.size()); ++i) {
      const auto& bucket = buckets[i];
      if (!bucket) continue;
      auto& column = columns[x];
      if (!column) column = PlotColumn{bucket->min, bucket->max};
      column->low = std::min(column->low, bucket->min);
      column->high = std::max(column->high, bucket->max);
    }
  }
  return columns;
}

void add_metric(std::string& page, const HistoryView& view, const HistoryView::MetricPart& metric, std::size_t height,
                const RenderOptions& render) {
  const auto all = summed_up(metric.buckets);
  if (!all) {
    page += paint({{"  " + metric.name, Ink::strong}, {"  nothing was measured in that time", Ink::faint}}, render);
    page += '\n';
    return;
  }
  const PlotUnit unit = plot_unit(metric.unit, all->max, render.utf8);
  const std::string sign = unit.sign.empty() ? "" : " " + unit.sign;
  page += paint({{"  " + metric.name, Ink::strong},
                 {fmt::format("  {}{}", number(all->last, unit), sign)},
                 {fmt::format("  from {} to {}, {} on average", number(all->min, unit), number(all->max, unit),
                              number(all->avg, unit)),
                  Ink::faint}},
                render) +
          '\n';
  PlotOptions options{.width = render.width,
                      .height = height,
                      .utf8 = render.utf8,
                      .from = view.from,
                      .to = view.to,
                      .utc_offset = render.utc_offset,
                      .unit = metric.unit,
                      .top = {}};
  if (metric.unit == "percent") options.top = 100;
  for (const std::string& line : plot(columns_of(view, metric.buckets, plot_columns(options)), options)) {
    page += line + '\n';
  }
}

Result<HistoryQuery> query_of(const HistoryOptions& options, WallTime now, std::size_t buckets) {
  HistoryQuery query{.metrics = options.metrics,
                     .devices = options.devices,
                     .since = {},
                     .step = options.step,
                     .usual_length = {},
                     .usual_buckets = buckets};
  if (options.since) {
    const auto since = parse_since(*options.since, now);
    if (!since) return tl::make_unexpected(since.error());
    query.since = *since;
  }
  return query;
}

Result<HistoryView> watched_history(const HistoryOptions& options, Context& context, std::size_t buckets) {
  // Whoever names a metric gets it, stored usually or not.
  const auto session =
      watch_stretch({.sources = options.sources, .length = options.length, .metrics = options.metrics}, context);
  if (!session) return tl::make_unexpected(session.error());
  Engine& engine = (*session)->engine();
  const auto query = query_of(options, engine.snapshot()->taken_at, buckets);
  if (!query) return tl::make_unexpected(query.error());
  return gather_history(*engine.history(), *engine.snapshot(), *query);
}

// Who names a source, or says how long to watch, wants no memories.
bool asks_daemon(const HistoryOptions& options) {
  return !options.daemon.empty() || (options.sources.empty() && !options.length);
}

Result<HistoryView> known_history(const HistoryOptions& options, Context& context, std::size_t buckets) {
  if (asks_daemon(options)) {
    const auto seconds = [](std::chrono::nanoseconds time) {
      return fmt::format("{:g}", std::chrono::duration<double>(time).count());
    };
    const auto target = target_of("/api/v1/history", {{"metric", fmt::format("{}", fmt::join(options.metrics, ","))},
                                                      {"device", fmt::format("{}", fmt::join(options.devices, ","))},
                                                      {"since", options.since.value_or("")},
                                                      {"step", options.step ? seconds(*options.step) : ""}});
    const auto answer = ask_daemon(target, options.daemon, context);
    if (!answer) return tl::make_unexpected(answer.error());
    if (*answer) {
      auto view = parse_history(**answer);
      if (view && !view->incomplete.empty()) context.remark("a part is missing: " + harmless(view->incomplete));
      return view;
    }
  }
  return watched_history(options, context, buckets);
}

// Of a machine that may be another one, and gone: nobody there is asked.
Result<HistoryView> database_history(const HistoryOptions& options, Context& context, std::size_t buckets) {
  const WallTime now = SystemClock().wall();  // as its rows have it, whatever time devices are played in
  auto query = query_of(options, now, buckets);
  if (!query) return tl::make_unexpected(query.error());
  auto reader = open_database(*options.database, context);
  if (!reader) return tl::make_unexpected(reader.error());
  return stored_history(*reader, database_host(*options.database, context), std::move(*query), now);
}

Exit database_hosts(const HistoryOptions& options, Context& context) {
  auto reader = open_database(*options.database, context);
  if (!reader) return tl::make_unexpected(reader.error());
  const auto hosts = reader->hosts();
  if (!hosts) return tl::make_unexpected(hosts.error());
  if (options.form == Form::json) return print(context, hosts_json(*hosts));
  if (options.form == Form::csv) return print(context, hosts_csv(*hosts));
  return print(context, render_hosts(*hosts, render_options(context)));
}

}  // namespace

std::string render_history(const HistoryView& view, const RenderOptions& render) {
  constexpr std::size_t kHigh = 10, kLow = 5;
  std::size_t plots = 0;
  for (const auto& device : view.devices) plots += device.metrics.size();
  std::string page;
  for (const auto& device : view.devices) {
    if (!page.empty()) page += '\n';
    const std::string_view origin = device.simulated ? "  simulated" : device.recorded ? "  recorded" : "";
    page += paint({{fmt::format("GPU {}  ", device.index), Ink::strong},
                   {harmless(device.name, render.utf8), Ink::strong},
                   {std::string(origin), Ink::warn}},
                  render) +
            '\n';
    if (device.metrics.empty()) page += "  nothing was measured in that time\n";
    for (const auto& metric : device.metrics) add_metric(page, view, metric, plots == 1 ? kHigh : kLow, render);
  }
  return page.empty() ? "There is no GPU: gpukeeper doctor says why.\n" : page;
}

Exit history(const HistoryOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, history_schema());
  if (options.hosts) return database_hosts(options, context);
  const RenderOptions render = render_options(context);
  const std::size_t buckets = options.form == Form::plot ? plot_columns({.width = render.width, .utf8 = render.utf8})
                                                         : HistoryQuery().usual_buckets;
  const auto view =
      options.database ? database_history(options, context, buckets) : known_history(options, context, buckets);
  if (!view) return tl::make_unexpected(view.error());
  if (options.form == Form::json) return print(context, history_json(*view, true) + "\n");
  if (options.form == Form::csv) return print(context, history_csv(*view));
  return print(context, render_history(*view, render));
}

}  // namespace gpukeeper::cli
