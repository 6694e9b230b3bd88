#include "report/report_charts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "report/figures.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

using account::DeviceUse;

constexpr std::size_t kMostUsers = 6;

TimeAxis axis_of(const Report& report, std::chrono::seconds utc_offset) {
  return {.from = report.origin, .column = report.column, .columns = report.columns, .utc_offset = utc_offset};
}

// Small amounts in watt-hours.
struct EnergyUnit {
  std::string name = "kWh";
  double joules = account::kJoulesPerKwh;
};

EnergyUnit unit_for(const Report& report) {
  double highest = 0;
  for (std::size_t n = 0; n < report.columns; ++n) {
    double sum = 0;
    for (const DeviceRow& row : report.devices) sum += row.columns[n].value_or(DeviceUse()).joules;
    highest = std::max(highest, sum);
  }
  return highest < account::kJoulesPerKwh / 2 ? EnergyUnit{"Wh", 3600} : EnergyUnit();
}

StackedColumns::Series series_of(std::string name, std::size_t columns, bool grey) {
  return {.name = std::move(name), .values = std::vector<double>(columns), .grey = grey};
}

void add(StackedColumns::Series& series, const PartyRow& row, double joules_per_unit) {
  for (std::size_t n = 0; n < std::min(series.values.size(), row.columns.size()); ++n) {
    series.values[n] += row.columns[n].joules / joules_per_unit;
  }
}

bool is_empty(const StackedColumns::Series& series) {
  return std::ranges::all_of(series.values, [](double value) { return value <= 0; });
}

// `average` and `highest` of a column; nothing where it was not measured.
template <class Average, class Highest>
std::vector<std::optional<Curve::Point>> points_of(const DeviceRow& row, Average average, Highest highest) {
  std::vector<std::optional<Curve::Point>> points;
  for (const auto& column : row.columns) {
    const auto value = column ? average(*column) : std::optional<double>();
    const std::optional<account::Peak> peak = column ? highest(*column) : std::nullopt;
    points.push_back(value ? std::optional(Curve::Point{*value, peak ? std::max(*value, peak->value) : *value})
                           : std::nullopt);
  }
  return points;
}

}  // namespace

StackedColumns energy_chart(const Report& report, std::chrono::seconds utc_offset) {
  const EnergyUnit unit = unit_for(report);
  StackedColumns chart{
      .head = {.id = "energy",
               .title = "Energy over time, by user",
               .description = fmt::format("{} in all; each column is {} long. The table of users says the sums.",
                                          energy_text(report.total.joules),
                                          hours_text(static_cast<double>(report.column.count())))},
      .time = axis_of(report, utc_offset),
      .unit = unit.name};
  auto others = series_of("other users", report.columns, false);
  for (std::size_t i = 0; i < report.users.size(); ++i) {
    const PartyRow& user = report.users[i];
    if (i >= kMostUsers) {
      add(others, user, unit.joules);
      continue;
    }
    auto series = series_of(user.name.empty() ? "no name is known" : user.name, report.columns, false);
    add(series, user, unit.joules);
    if (!is_empty(series)) chart.series.push_back(std::move(series));
  }
  auto nobody = series_of("nobody", report.columns, true);
  for (const DeviceRow& row : report.devices) {
    for (std::size_t n = 0; n < report.columns; ++n) {
      const DeviceUse use = row.columns[n].value_or(DeviceUse());
      nobody.values[n] += (use.free.joules + use.unlisted.joules) / unit.joules;
    }
  }
  if (report.total.unlisted.joules > 0) nobody.name = "nobody, or not known";
  if (!is_empty(others)) chart.series.push_back(std::move(others));
  if (!is_empty(nobody)) chart.series.push_back(std::move(nobody));
  return chart;
}

HeatMap use_chart(const Report& report, std::chrono::seconds utc_offset) {
  HeatMap chart{.head = {.id = "use",
                         .title = "Use of every GPU over time",
                         .description = "A row a GPU: the fuller the colour, the busier it was. Hatched where nobody "
                                        "measured it. The table below says the averages."},
                .time = axis_of(report, utc_offset),
                .unit = "%"};
  for (const DeviceRow& row : report.devices) {
    HeatMap::Row cells{.name = fmt::format("GPU {}", row.device.index)};
    for (const auto& column : row.columns) cells.values.push_back(column ? average_use(*column) : std::nullopt);
    chart.rows.push_back(std::move(cells));
  }
  return chart;
}

Curve temperature_chart(const Report& report, const DeviceRow& row, std::chrono::seconds utc_offset) {
  const auto average = average_celsius(row.use);
  return {.head = {.id = fmt::format("temperature-{}", row.device.index),
                   .title = fmt::format("Temperature of GPU {}", row.device.index),
                   .description = average ? fmt::format("{:.0f} °C on average, {:.0f} °C at the most.", *average,
                                                        row.use.celsius->value)
                                          : "No temperature was told."},
          .time = axis_of(report, utc_offset),
          .unit = "°C",
          .points = points_of(row, average_celsius, [](const DeviceUse& use) { return use.celsius; }),
          .least_span = 10,
          .colour = 5};
}

Curve power_chart(const Report& report, const DeviceRow& row, std::chrono::seconds utc_offset) {
  const auto average = average_watts(row.use);
  const std::string most = row.use.watts ? fmt::format("{:.0f} W at the most.", row.use.watts->value) : "";
  return {.head = {.id = fmt::format("power-{}", row.device.index),
                   .title = fmt::format("Power of GPU {}", row.device.index),
                   .description =
                       average ? fmt::format("{:.0f} W on average, {}", *average, most) : "No power was measured."},
          .time = axis_of(report, utc_offset),
          .unit = "W",
          .points = points_of(row, average_watts, [](const DeviceUse& use) { return use.watts; }),
          .from_zero = true,
          .least_span = 100,
          .colour = 0};
}

}  // namespace gpukeeper::report
