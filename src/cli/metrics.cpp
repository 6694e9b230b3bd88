#include "cli/metrics.hpp"

#include <fmt/format.h>

#include "cli/table.hpp"
#include "device/metric_table.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"
#include "prometheus/metric_names.hpp"

namespace gpukeeper::cli {
namespace {

std::string as_json() {
  Json rows = Json::array();
  for (const MetricRow& row : metric_table()) {
    rows.push_back({{"name", row.name},
                    {"unit", row.unit},
                    {"type", to_string(row.type)},
                    {"prometheus", prometheus::metric_name(row)},
                    {"help", row.help}});
  }
  return dump({{"schema", "gpukeeper.metrics/1"}, {"metrics", std::move(rows)}}, true) + "\n";
}

std::string as_markdown() {
  std::string text =
      "# Metrics\n"
      "\n"
      "Made by `gpukeeper metrics --markdown`; a test compares the two.\n"
      "\n"
      "Every device has every metric. What a device does not report is `null` in JSON, an empty field in CSV and `-` "
      "on\n"
      "screen, never zero; `status --json` gives the reason under `missing`: `not_supported` (this device, driver or\n"
      "source does not report it), `not_permitted` (this user may not read it), `not_yet_read` (it needs a second\n"
      "reading), `asleep` (reading would wake the device) or `failed` (the driver answered with an error).\n"
      "\n"
      "| name | unit | type | in Prometheus | meaning |\n"
      "|---|---|---|---|---|\n";
  for (const MetricRow& row : metric_table()) {
    text += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", row.name, row.unit, to_string(row.type),
                        prometheus::metric_name(row), row.help);
  }
  text +=
      "\n"
      "## Who a device is\n"
      "\n"
      "These stand before the metrics in CSV, and `status -q` takes them too.\n"
      "\n"
      "| name | meaning |\n"
      "|---|---|\n";
  for (const IdentityRow& row : identity_table()) text += fmt::format("| `{}` | {} |\n", row.name, row.help);
  text +=
      "\n"
      "## In Prometheus\n"
      "\n"
      "`gpukeeper serve` answers `GET /metrics` (docs/prometheus.md). The column above says what a metric is called "
      "there:\n"
      "in base units, so percent become ratios (`0.29`) and megahertz hertz. A text is a label of a line whose value "
      "is 1; those\n"
      "that never change are labels of `gpukeeper_gpu_info`; yes and no are 1 and 0.\n";
  return text;
}

std::string as_table(const RenderOptions& options) {
  Table table({{.header = "METRIC"},
               {.header = "UNIT", .priority = 2},
               {.header = "TYPE", .priority = 1},
               {.header = "MEANING", .shrinks_to = 30}});
  for (const MetricRow& row : metric_table()) {
    table.add_row({{std::string(row.name), Ink::strong},
                   std::string(row.unit),
                   {std::string(to_string(row.type)), Ink::faint},
                   std::string(row.help)});
  }
  std::string text;
  for (const std::string& line : table.render(options)) text += line + "\n";
  return text;
}

}  // namespace

Exit metrics(const MetricsOptions& options, Context& context) {
  switch (options.form) {
    case MetricsOptions::Form::json: return print(context, as_json());
    case MetricsOptions::Form::markdown: return print(context, as_markdown());
    case MetricsOptions::Form::table: break;
  }
  RenderOptions render = render_options(context);
  if (!context.screen().terminal && !context.environment("COLUMNS")) render.width = 1000;  // a pipe has no edge
  return print(context, as_table(render));
}

}  // namespace gpukeeper::cli
