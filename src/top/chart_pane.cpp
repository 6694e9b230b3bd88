#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/human.hpp"
#include "format/plot.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

using Buckets = std::vector<std::optional<HistoryBucket>>;

// What is shown, the most asked for first: a small area shows fewer.
struct Chart {
  std::string_view metric;
  std::string_view title;
};
constexpr std::size_t kPlotAxis = 8;  // columns of the scale
constexpr Chart kCharts[] = {{"utilization_percent", "use"},
                             {"memory_used_bytes", "memory"},
                             {"temperature_celsius", "temperature"},
                             {"power_watts", "power"}};

std::optional<HistoryBucket> summed_up(const Buckets& buckets) {
  std::optional<HistoryBucket> all;
  double sum = 0;
  for (const auto& bucket : buckets) {
    if (!bucket) continue;
    if (!all) all = HistoryBucket{0, bucket->min, 0, bucket->max, 0};
    all->count += bucket->count;
    sum += bucket->avg * static_cast<double>(bucket->count);
    all->min = std::min(all->min, bucket->min);
    all->max = std::max(all->max, bucket->max);
    all->last = bucket->last;
  }
  if (all && all->count > 0) all->avg = sum / static_cast<double>(all->count);
  return all;
}

// Every column of dots shows the buckets that lie in its piece of time, or the one in which it lies.
std::vector<std::optional<PlotColumn>> columns_of(const Buckets& buckets, std::size_t count) {
  std::vector<std::optional<PlotColumn>> columns(count);
  const double width = static_cast<double>(buckets.size()) / static_cast<double>(count);
  for (std::size_t x = 0; x < count; ++x) {
    const auto first = static_cast<std::size_t>(static_cast<double>(x) * width);
    const auto end = std::max(first + 1, static_cast<std::size_t>(static_cast<double>(x + 1) * width));
    for (std::size_t i = first; i < std::min(end, buckets.size()); ++i) {
      if (!buckets[i]) continue;
      if (!columns[x]) columns[x] = PlotColumn{buckets[i]->min, buckets[i]->max};
      columns[x]->low = std::min(columns[x]->low, buckets[i]->min);
      columns[x]->high = std::max(columns[x]->high, buckets[i]->max);
    }
  }
  return columns;
}

std::string number(double value, const PlotUnit& unit) {
  const double scaled = value / unit.divisor;
  return std::abs(scaled - std::round(scaled)) < 0.05 ? fmt::format("{:.0f}", scaled) : fmt::format("{:.1f}", scaled);
}

Role role_of(std::string_view metric) {
  return metric == "utilization_percent" ? Role::optimal
         : metric == "memory_used_bytes" ? Role::lease
         : metric == "power_watts"       ? Role::unmanaged
                                         : Role::throttled;
}

// What a scale goes up to, so that curves of two GPUs, or of two moments, can be compared; nothing: it fits the values.
std::optional<double> top_of(std::string_view metric, const Reading& r) {
  if (metric == "utilization_percent" || metric == "temperature_celsius") return 100;
  if (metric == "memory_used_bytes" && r.memory_total) return static_cast<double>(r.memory_total->value());
  if (metric == "power_watts" && r.power_limit) return r.power_limit->value();
  return std::nullopt;
}

// A line where a threshold is, behind the curve. `rows`: of the curve, the first at 0; on a scale from 0 to 100.
void draw_threshold(const Area& area, std::size_t rows, double percent, Role role) {
  if (percent <= 0 || percent >= 100 || rows < 2) return;
  const auto up = static_cast<std::size_t>(std::lround(percent / 100 * static_cast<double>(rows - 1)));
  for (std::size_t x = kPlotAxis; x + 1 < area.width(); x += 2) area.put(x, rows - 1 - up, "·", {role});
}

void draw_chart(const HistoryView& view, const HistoryView::MetricPart& metric, const Chart& chart,
                const DeviceSnapshot& device, std::chrono::seconds utc_offset, const Area& area) {
  const auto all = summed_up(metric.buckets);
  if (!all) {
    area.line(1, 0, {{chart.title, {Role::strong}}, {"  nothing was measured in that time", {Role::faint}}});
    return;
  }
  const PlotUnit unit = plot_unit(metric.unit, all->max);
  const std::string sign = unit.sign.empty() || unit.sign == "%" ? unit.sign : " " + unit.sign;
  area.line(1, 0,
            {{chart.title, {Role::strong}},
             {fmt::format("  {}{}", number(all->last, unit), sign)},
             {fmt::format("  from {} to {}, {} on average", number(all->min, unit), number(all->max, unit),
                          number(all->avg, unit)),
              {Role::faint}}});
  constexpr std::size_t kAround = 3;  // the title, the axis of time and its marks
  if (area.height() < kAround + 2) return;
  const std::size_t rows = area.height() - kAround;
  if (chart.metric == "temperature_celsius") {
    const Area curve = area.part({0, 1, area.width(), rows});
    draw_threshold(curve, rows, device.throttling.thresholds.temp_throttle.value(), Role::throttled);
    if (device.reading.temperature_slowdown) {
      draw_threshold(curve, rows, device.reading.temperature_slowdown->value(), Role::critical);
    }
  }
  const PlotOptions options{.width = area.width() - 1,
                            .height = rows,
                            .utf8 = area.utf8(),
                            .from = view.from,
                            .to = view.to,
                            .utc_offset = utc_offset,
                            .unit = metric.unit,
                            .top = top_of(chart.metric, device.reading)};
  const auto lines = plot(columns_of(metric.buckets, plot_columns(options)), options);
  draw_plot(lines, role_of(chart.metric), area.part({0, 1, area.width(), area.height() - 1}));
}

const HistoryView::DevicePart* part_of(const HistoryView& view, const std::string& id) {
  const auto found = std::ranges::find(view.devices, id, &HistoryView::DevicePart::id);
  return found == view.devices.end() ? nullptr : &*found;
}

}  // namespace

void draw_plot(const std::vector<std::string>& lines, Role role, const Area& area) {
  std::size_t y = 0;
  for (const std::string& line : lines) {
    const bool axis = y + 2 >= lines.size();
    Canvas canvas(area.width(), 1, area.utf8());
    canvas.put(0, 0, line, {axis ? Role::faint : role}, area.width());
    for (std::size_t x = 0; x < area.width(); ++x) {
      Cell cell = canvas.at(x, 0);
      if (x < kPlotAxis) cell.style.role = Role::faint;
      if (cell.glyph != U' ') area.put_glyph(x, y, cell);  // what is behind the curve is seen through it
    }
    ++y;
  }
}

void draw_charts(const Scene& scene, const Area& area) {
  const News& news = scene.model.news();
  const auto& gpus = scene.model.gpus();
  if (scene.ui.gpu >= gpus.size()) return;
  const DeviceSnapshot& device = *gpus[scene.ui.gpu].device;
  const auto* part = news.past ? part_of(*news.past, device.device->id.text) : nullptr;
  if (part == nullptr) {
    draw_text(area, 0, " ", news.past_reason.empty() ? "Reading the history…" : news.past_reason, {Role::faint});
    return;
  }
  std::vector<std::pair<const Chart*, const HistoryView::MetricPart*>> shown;
  for (const Chart& chart : kCharts) {
    const auto found = std::ranges::find(part->metrics, chart.metric, &HistoryView::MetricPart::name);
    if (found != part->metrics.end()) shown.emplace_back(&chart, &*found);
  }
  constexpr std::size_t kRows = 6, kColumns = 56;  // of one of them, at least
  const std::size_t columns = area.width() >= 2 * kColumns ? 2 : 1;
  const std::size_t rows = std::clamp<std::size_t>(area.height() / kRows, 1, (shown.size() + columns - 1) / columns);
  const std::size_t width = area.width() / columns, height = area.height() / rows;
  for (std::size_t i = 0; i < std::min(shown.size(), rows * columns); ++i) {
    draw_chart(*news.past, *shown[i].second, *shown[i].first, device, scene.model.utc_offset(),
               area.part({i % columns * width, i / columns * height, width - 1, height}));
  }
}

}  // namespace gpukeeper::top
