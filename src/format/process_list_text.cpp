#include "format/process_list_text.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/columns_text.hpp"
#include "format/human.hpp"
#include "format/process_json.hpp"

namespace gpukeeper {
namespace {

using Row = const ProcessRow&;

template <class T>
std::string number(const Metric<T>& metric) {
  return metric ? to_string(MetricValue(metric->value())) : std::string();
}

// A fact of who the process is; empty where nobody knows it.
template <class T, class F>
std::string fact(Row row, Metric<T> ProcessFacts::*member, F to_text) {
  if (row.facts == nullptr || !(row.facts->*member)) return {};
  return to_text(*(row.facts->*member));
}

std::string text(Row row, ProcessFacts::Text ProcessFacts::*member) {
  return fact(row, member, [](const std::string& known) { return known; });
}

template <class F>
std::string place(Row row, F to_text) {
  return fact(row, &ProcessFacts::place, to_text);
}

struct CsvColumn {
  std::string_view name;
  std::string (*value)(Row row);
};

constexpr CsvColumn kColumns[] = {
    {"gpu", [](Row r) { return r.place; }},
    {"uuid", [](Row r) { return r.device->device->id.text; }},
    {"gpu_name", [](Row r) { return r.device->device->name; }},
    {"simulated", [](Row r) { return std::string(r.device->device->simulated ? "true" : "false"); }},
    {"recorded", [](Row r) { return std::string(r.device->device->recorded ? "true" : "false"); }},
    {"pid", [](Row r) { return fmt::format("{}", r.process->pid); }},
    {"name", [](Row r) { return r.process->name; }},
    {"type", [](Row r) { return r.process->type.to_string(); }},
    {"user", [](Row r) { return text(r, &ProcessFacts::user); }},
    {"class", [](Row r) { return std::string(r.facts ? to_string(r.facts->classification.kind) : ""); }},
    {"rule", [](Row r) { return r.facts ? r.facts->classification.rule : std::string(); }},
    {"memory_bytes", [](Row r) { return r.process->memory ? fmt::format("{}", r.process->memory->value()) : ""; }},
    {"utilization_percent", [](Row r) { return number(r.process->utilization); }},
    {"cpu_percent", [](Row r) { return r.facts ? number(r.facts->cpu) : std::string(); }},
    {"resident_bytes",
     [](Row r) {
       return fact(r, &ProcessFacts::resident, [](Bytes bytes) { return fmt::format("{}", bytes.value()); });
     }},
    {"started_at", [](Row r) { return fact(r, &ProcessFacts::started, rfc3339); }},
    {"container_runtime",
     [](Row r) {
       return place(r, [](const ProcessPlace& p) { return p.container ? p.container->runtime : std::string(); });
     }},
    {"container_id",
     [](Row r) {
       return place(r, [](const ProcessPlace& p) { return p.container ? p.container->id : std::string(); });
     }},
    {"pod_uid", [](Row r) { return place(r, [](const ProcessPlace& p) { return p.pod_uid.value_or(""); }); }},
    {"pod_namespace",
     [](Row r) { return place(r, [](const ProcessPlace& p) { return p.pod ? p.pod->name_space : std::string(); }); }},
    {"pod", [](Row r) { return place(r, [](const ProcessPlace& p) { return p.pod ? p.pod->pod : std::string(); }); }},
    {"pod_container",
     [](Row r) { return place(r, [](const ProcessPlace& p) { return p.pod ? p.pod->container : std::string(); }); }},
    {"unit", [](Row r) { return place(r, [](const ProcessPlace& p) { return p.unit.value_or(""); }); }},
    {"slurm_job", [](Row r) { return place(r, [](const ProcessPlace& p) { return p.slurm_job.value_or(""); }); }},
    {"executable", [](Row r) { return text(r, &ProcessFacts::executable); }},
    {"command_line", [](Row r) { return text(r, &ProcessFacts::command_line); }},
};

Json row_json(const Snapshot& snapshot, Row row, CommandLines command_lines) {
  const Device& device = *row.device->device;
  Json json = {{"gpu", row.place},
               {"uuid", device.id.text},
               {"gpu_name", device.name},
               {"simulated", device.simulated},
               {"recorded", device.recorded},
               {"also_on", row.also_on}};
  json.update(process_json(snapshot, *row.device, *row.process, command_lines));
  return json;
}

}  // namespace

std::string processes_json(const Snapshot& snapshot, const std::vector<ProcessRow>& rows, bool indented,
                           CommandLines command_lines) {
  Json processes = Json::array();
  for (const ProcessRow& row : rows) processes.push_back(row_json(snapshot, row, command_lines));
  Json unknown = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) {
    const std::string& reason = device.processes_reason.empty() ? device.reason : device.processes_reason;
    if (device.available && device.processes_reason.empty()) continue;
    unknown.push_back({{"gpu", device.index}, {"uuid", device.device->id.text}, {"reason", text_or_null(reason)}});
  }
  return dump({{"schema", "gpukeeper.ps/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"processes", std::move(processes)},
               {"unknown", std::move(unknown)}},
              indented);
}

std::string processes_csv_header() {
  std::string line;
  for (const CsvColumn& column : kColumns) {
    if (!line.empty()) line += ',';
    line += column.name;
  }
  return line + '\n';
}

std::string processes_csv(const std::vector<ProcessRow>& rows) {
  std::string text;
  for (const ProcessRow& row : rows) {
    bool first = true;
    for (const CsvColumn& column : kColumns) {
      if (!std::exchange(first, false)) text += ',';
      text += csv_field(harmless(column.value(row)));
    }
    text += '\n';
  }
  return text;
}

}  // namespace gpukeeper
