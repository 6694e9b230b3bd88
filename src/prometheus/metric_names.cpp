#include "prometheus/metric_names.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "device/metric_fields.hpp"

namespace gpukeeper::prometheus {
namespace {

using Form = DeviceMetric::Form;

// A unit of the table and the base unit that Prometheus wants for it (prometheus.io, metric and label naming).
struct Unit {
  std::string_view ours;
  std::string_view suffix;  // of names in the table
  std::string_view base;    // and of ours in its place
  double multiply = 1;
  double divide = 1;
};
constexpr Unit kUnits[] = {
    {"celsius", "_celsius", "celsius"},
    {"percent", "_percent", "ratio", 1, 100},
    {"rpm", "_rpm", "rpm"},
    {"bytes", "_bytes", "bytes"},
    {"watts", "_watts", "watts"},
    {"joules", "_joules", "joules"},
    {"megahertz", "_mhz", "hertz", 1e6},
    {"seconds", "_seconds", "seconds"},
    {"bytes/second", "_bytes_per_second", "bytes_per_second"},
};
constexpr Unit kNone = {"", "", ""};

Form form_of(const MetricRow& row) {
  if (row.type != MetricType::info) return Form::number;
  const MetricField* field = find_metric_field(row.name);
  if (!field) return Form::fact;  // of Device: it does not change
  if (field->kind == FieldKind::flag) return Form::flag;
  return field->kind == FieldKind::throttle_reasons ? Form::reasons : Form::text;
}

DeviceMetric metric_of(const MetricRow& row) {
  const auto* unit = std::ranges::find(kUnits, row.unit, &Unit::ours);
  if (unit == std::end(kUnits)) unit = &kNone;
  const Form form = form_of(row);
  std::string name = fmt::format("gpukeeper_{}", row.name.substr(0, row.name.size() - unit->suffix.size()));
  if (!unit->base.empty()) name += fmt::format("_{}", unit->base);
  auto type = FamilyType::gauge;
  if (row.type == MetricType::counter) {
    type = FamilyType::counter;
    name += "_total";
  } else if (form == Form::text) {
    type = FamilyType::info;
    name += "_info";
  } else if (form == Form::fact) {
    name = "gpukeeper_gpu_info";
  } else if (form == Form::reasons) {
    name = "gpukeeper_throttle_reason";
  }
  return {&row, form, unit->multiply, unit->divide, Family(std::move(name), type, unit->base, row.help)};
}

}  // namespace

std::span<const DeviceMetric> device_metrics() {
  static const std::vector<DeviceMetric> metrics = [] {
    std::vector<DeviceMetric> all;
    for (const MetricRow& row : metric_table()) all.push_back(metric_of(row));
    return all;
  }();
  return metrics;
}

std::string_view metric_name(const MetricRow& row) {
  return std::ranges::find(device_metrics(), &row, &DeviceMetric::row)->family.name();
}

}  // namespace gpukeeper::prometheus
