#include "report/accounting_forms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"
#include "report/csv_cells.hpp"
#include "report/figures.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

using account::Tariff;
using account::Usage;
using Kind = AccountingRow::Kind;

constexpr double kHour = 3600;
constexpr double kGiB = 1 << 30;
constexpr std::size_t kWidestName = 48;

std::optional<double> energy(const Usage& usage) {
  return measured(usage.joules, usage.joules_unknown_seconds, usage.gpu_seconds);
}

std::optional<double> memory(const Usage& usage) {
  if (usage.byte_seconds <= 0 && usage.byte_unknown_seconds > 0) return std::nullopt;
  return usage.byte_seconds / kGiB / kHour;
}

std::optional<double> in_kwh(const Usage& usage) {
  const auto joules = energy(usage);
  return joules ? std::optional(kwh(*joules)) : std::nullopt;
}

// JSON, CSV and the schema's names are made of these.
constexpr UsageFigure kFigures[] = {
    {"gpu_seconds", [](const Usage& u, const Tariff&) { return std::optional(u.gpu_seconds); }},
    {"gpu_hours", [](const Usage& u, const Tariff&) { return std::optional(u.gpu_seconds / kHour); }},
    {"busy_seconds",
     [](const Usage& u, const Tariff&) { return measured(u.busy_seconds, u.busy_unknown_seconds, u.gpu_seconds); }},
    {"busy_unknown_seconds", [](const Usage& u, const Tariff&) { return std::optional(u.busy_unknown_seconds); }},
    {"idle_seconds",
     [](const Usage& u, const Tariff&) { return measured(u.idle_seconds, u.busy_unknown_seconds, u.gpu_seconds); }},
    {"memory_gib_hours", [](const Usage& u, const Tariff&) { return memory(u); }},
    {"memory_unknown_seconds", [](const Usage& u, const Tariff&) { return std::optional(u.byte_unknown_seconds); }},
    {"hoarded_seconds", [](const Usage& u, const Tariff&) { return std::optional(u.hoarded_seconds); }},
    {"hoarded_gib_hours",
     [](const Usage& u, const Tariff&) { return std::optional(u.hoarded_byte_seconds / kGiB / kHour); }},
    {"joules", [](const Usage& u, const Tariff&) { return energy(u); }},
    {"joules_unknown_seconds", [](const Usage& u, const Tariff&) { return std::optional(u.joules_unknown_seconds); }},
    {"idle_joules",
     [](const Usage& u, const Tariff&) { return energy(u) ? std::optional(u.idle_joules) : std::nullopt; }},
    {"energy_kwh", [](const Usage& u, const Tariff&) { return in_kwh(u); }},
    {"cost", [](const Usage& u, const Tariff& t) { return energy(u) ? cost(u.joules, t) : std::nullopt; }},
    {"carbon_kg", [](const Usage& u, const Tariff& t) { return energy(u) ? carbon_kg(u.joules, t) : std::nullopt; }},
};

std::optional<double> rounded(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return std::round(*value * 1e6) / 1e6 + 0.0;  // no "-0"
}

Json number(const std::optional<double>& value) {
  return or_null(rounded(value));
}

// As in JSON, so that both add up alike.
std::string exact_cell(const std::optional<double>& value) {
  const auto exact = rounded(value);
  return exact ? fmt::format("{}", *exact) : "";
}

void add_figures(Json& object, const Usage& usage, const Tariff& tariff) {
  for (const UsageFigure& figure : kFigures) object[std::string(figure.name)] = number(figure.value(usage, tariff));
}

// In the order of AccountKey: what somebody is who is of none.
constexpr std::array<std::string_view, 9> kNobodys = {"no user is known", "of no service",         "in no container",
                                                      "in no pod",        "in no namespace known", "of no job",
                                                      "under no lease",   "work of no class",      "on no GPU"};

std::string label(const AccountingRow& row, AccountKey by) {
  switch (row.kind) {
    case Kind::named: return fit(harmless(row.name), kWidestName);
    case Kind::none: return fmt::format("({})", kNobodys.at(static_cast<std::size_t>(by)));
    case Kind::unlisted: return "(not attributable)";
    case Kind::free: return "(nobody)";
  }
  return {};
}

std::string cell(const std::optional<double>& value) {
  return value ? amount(*value) : "–";
}

std::optional<double> hours(const std::optional<double>& seconds) {
  return seconds ? std::optional(*seconds / kHour) : std::nullopt;
}

// Cells that stand below each other: the first to the left, the others to the right.
class Table {
 public:
  explicit Table(const Tariff& tariff) : tariff_(tariff) {
    std::vector<std::string> head = {"", "GPU-h", "used", "idle", "GiB-h", "kWh"};
    if (tariff.price_per_kwh) head.push_back(tariff.currency.empty() ? "cost" : fit(harmless(tariff.currency), 10));
    if (tariff.carbon_g_per_kwh) head.emplace_back("kg CO2");
    lines_.push_back(std::move(head));
  }

  void add(std::string name, const Usage& usage) {
    std::vector<std::string> line = {std::move(name), amount(usage.gpu_seconds / kHour)};
    line.push_back(cell(hours(measured(usage.busy_seconds, usage.busy_unknown_seconds, usage.gpu_seconds))));
    line.push_back(cell(hours(measured(usage.idle_seconds, usage.busy_unknown_seconds, usage.gpu_seconds))));
    line.push_back(cell(memory(usage)));
    line.push_back(cell(in_kwh(usage)));
    const auto joules = energy(usage);
    if (tariff_.price_per_kwh) line.push_back(cell(joules ? cost(*joules, tariff_) : std::nullopt));
    if (tariff_.carbon_g_per_kwh) line.push_back(cell(joules ? carbon_kg(*joules, tariff_) : std::nullopt));
    lines_.push_back(std::move(line));
  }

  std::string text() const {
    std::vector<std::size_t> widths(lines_.front().size());
    for (const auto& line : lines_) {
      for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], display_width(line[i]));
    }
    std::string text;
    for (const auto& line : lines_) {
      text += "  " + line[0] + std::string(widths[0] - display_width(line[0]), ' ');
      for (std::size_t i = 1; i < line.size(); ++i) {
        text += std::string(2 + widths[i] - display_width(line[i]), ' ') + line[i];
      }
      text += '\n';
    }
    return text;
  }

 private:
  const Tariff& tariff_;
  std::vector<std::vector<std::string>> lines_;
};

std::string paragraph(std::string_view sentences) {
  constexpr std::size_t kWidth = 100;
  std::string text;
  for (const std::string& line : wrap(sentences, kWidth)) text += line + '\n';
  return text;
}

std::string origin_of(const Accounting& accounting) {
  if (accounting.simulated) return ", simulated";
  return accounting.recorded ? ", recorded" : "";
}

// Where the figures are left open, which the table above fills in.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:accounting:1",
  "title": "gpukeeper account --json",
  "description": "Who used how much of the GPUs over a stretch of time. All rows add up to the total, which is what the GPUs did. What was not measured is null, or counted as unknown: never 0. Members may be added; none is removed or changes its meaning within gpukeeper.accounting/1.",
  "type": "object",
  "required": ["schema", "host", "basis", "simulated", "recorded", "from", "to", "by", "tariff", "model", "rows", "total",
               "shared", "unknown"],
  "properties": {
    "schema": {"const": "gpukeeper.accounting/1"},
    "host": {"type": "string"},
    "basis": {"enum": ["daemon", "file"],
              "description": "The account that a running gpukeeper serve keeps, or what one has kept in its file."},
    "simulated": {"type": "boolean", "description": "Some GPUs are made up by a scenario."},
    "recorded": {"type": "boolean", "description": "Some GPUs are out of a recording."},
    "from": {"$ref": "#/$defs/time"},
    "to": {"$ref": "#/$defs/time"},
    "tariff": {
      "type": "object",
      "required": ["price_per_kwh", "currency", "carbon_g_per_kwh"],
      "properties": {
        "price_per_kwh": {"$ref": "#/$defs/figure"},
        "currency": {"type": ["string", "null"]},
        "carbon_g_per_kwh": {"$ref": "#/$defs/figure"}
      }
    },
    "model": {"type": "string", "description": "By what a GPU is divided that several share."},
    "rows": {
      "type": "array",
      "description": "Those with a name by energy, then by time, the largest first; then what has none.",
      "items": {
        "$ref": "#/$defs/usage",
        "required": ["kind", "name"],
        "properties": {
          "kind": {"enum": ["named", "none", "unlisted", "free"],
                   "description": "none: used by somebody, but of no such thing, or its name is not known. unlisted: the processes could not be listed; of memory, what none of them was told to hold. free: nobody was on the GPU."},
          "name": {"type": ["string", "null"]}
        }
      }
    },
    "total": {"$ref": "#/$defs/usage"},
    "shared": {
      "type": "object",
      "description": "GPU-seconds in which several processes were on a GPU, by what they were divided.",
      "required": ["by_use_seconds", "by_memory_seconds", "evenly_seconds"],
      "additionalProperties": {"type": "number", "minimum": 0}
    },
    "unknown": {"type": "array", "description": "What was not measured, a sentence each.", "items": {"type": "string"}}
  },
  "$defs": {
    "time": {"type": "string", "format": "date-time", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"},
    "figure": {"type": ["number", "null"], "minimum": 0},
    "usage": {"type": "object"}
  }
})json";

}  // namespace

std::string_view sharing_model() {
  return "A GPU that several processes share is divided, with its time and all energy that it draws, by the use that "
         "the driver measured of each; where it measured none of them working, or does not tell the use of all, by "
         "the memory that they hold; where that is not told either, evenly.";
}

std::string accounting_json(const Accounting& accounting, bool indented) {
  Json rows = Json::array();
  for (const AccountingRow& row : accounting.rows) {
    Json object = {{"kind", to_string(row.kind)}, {"name", text_or_null(row.name)}};
    add_figures(object, row.usage, accounting.tariff);
    rows.push_back(std::move(object));
  }
  Json total = Json::object();
  add_figures(total, accounting.total, accounting.tariff);
  const Json document = {{"schema", "gpukeeper.accounting/1"},
                         {"host", accounting.host},
                         {"basis", to_string(accounting.basis)},
                         {"simulated", accounting.simulated},
                         {"recorded", accounting.recorded},
                         {"from", rfc3339(accounting.from)},
                         {"to", rfc3339(accounting.to)},
                         {"by", to_string(accounting.by)},
                         {"tariff",
                          {{"price_per_kwh", or_null(accounting.tariff.price_per_kwh)},
                           {"currency", text_or_null(accounting.tariff.currency)},
                           {"carbon_g_per_kwh", or_null(accounting.tariff.carbon_g_per_kwh)}}},
                         {"model", sharing_model()},
                         {"rows", std::move(rows)},
                         {"total", std::move(total)},
                         {"shared",
                          {{"by_use_seconds", number(accounting.division.by_use_seconds)},
                           {"by_memory_seconds", number(accounting.division.by_memory_seconds)},
                           {"evenly_seconds", number(accounting.division.evenly_seconds)}}},
                         {"unknown", accounting.unknowns}};
  return dump(document, indented);
}

std::string accounting_schema() {
  Json schema = Json::parse(kSchema);
  Json words = Json::array();
  for (const std::string_view word : account_key_words()) words.push_back(word);
  schema["properties"]["by"] = {{"enum", std::move(words)}, {"description", "By what is added up."}};
  Json& usage = schema["$defs"]["usage"];
  for (const UsageFigure& figure : kFigures) {
    usage["required"].push_back(figure.name);
    usage["properties"][std::string(figure.name)] = {{"$ref", "#/$defs/figure"}};
  }
  return dump(schema, true) + "\n";
}

std::string accounting_csv(const Accounting& accounting) {
  std::string text = "host,from,to,origin,by,kind,name";
  for (const UsageFigure& figure : kFigures) text += fmt::format(",{}", figure.name);
  text += '\n';
  const std::string_view origin = accounting.simulated ? "simulated" : accounting.recorded ? "recorded" : "";
  const std::string head = fmt::format("{},{},{},{},{}", name_cell(accounting.host), rfc3339(accounting.from),
                                       rfc3339(accounting.to), origin, to_string(accounting.by));
  for (const AccountingRow& row : accounting.rows) {
    text += fmt::format("{},{},{}", head, to_string(row.kind), name_cell(row.name));
    for (const UsageFigure& figure : kFigures) text += "," + exact_cell(figure.value(row.usage, accounting.tariff));
    text += '\n';
  }
  return text;
}

std::string accounting_text(const Accounting& accounting, std::chrono::seconds utc_offset) {
  std::string text = fmt::format("=== GPU Accounting by {} ===\n\n{} to {} ({}{})\n\n", to_string(accounting.by),
                                 local_time(accounting.from, utc_offset), local_time(accounting.to, utc_offset),
                                 harmless(accounting.host), origin_of(accounting));
  Table table(accounting.tariff);
  for (const AccountingRow& row : accounting.rows) table.add(label(row, accounting.by), row.usage);
  table.add("total", accounting.total);
  text += table.text();
  text += '\n' + paragraph(
                     "GPU-h: hours in which a GPU was theirs. used: of these, by measured use. idle: of these, "
                     "memory was held and nothing done.");
  text += paragraph(sharing_model());
  for (const std::string& sentence : accounting.unknowns) text += paragraph(harmless(sentence));
  return text;
}

}  // namespace gpukeeper::report
