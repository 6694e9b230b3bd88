#include "format/faults_reader.hpp"

#include <algorithm>

#include "format/bounded_json.hpp"
#include "format/fault_query.hpp"
#include "format/json_object.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostRead = 20'000;  // of anybody's document

FaultProcess process_of(const Json& json) {
  const JsonObject o(json);
  return {.pid = o.integer("pid").value_or(0),
          .name = o.text("name"),
          .user = o.text_or_nothing("user"),
          .container = o.text_or_nothing("container"),
          .blamed = o.flag("blamed")};
}

// A kind or a severity of a newer release is told as the least that is known.
EventKind kind_of(const JsonObject& o) {
  const auto kind = parse_fault_kind(o.text("kind"));
  return kind ? *kind : EventKind::driver;
}
Severity severity_of(const JsonObject& o) {
  const auto severity = parse_severity(o.text("severity"));
  return severity ? *severity : Severity::info;
}

FaultRecord fault_of(const Json& json) {
  const JsonObject o(json);
  FaultRecord fault;
  fault.id = o.whole("id").value_or(0);
  fault.kind = kind_of(o);
  fault.code = o.whole("xid").value_or(0);
  fault.device.text = o.text("uuid");
  fault.pci = PciAddress::parse(o.text("pci_address"));
  fault.device_name = o.text("name");
  fault.simulated = o.flag("simulated");
  fault.recorded = o.flag("recorded");
  fault.first = o.time("first_at").value_or(WallTime{});
  fault.last = o.time("last_at").value_or(WallTime{});
  fault.count = o.whole("count").value_or(1);
  fault.detail = o.text("detail");
  for (const Json& source : o.list("sources")) {
    if (source.is_string()) fault.sources.push_back(source.get<std::string>());
  }
  if (const Json* processes = o.find("processes"); processes != nullptr && processes->is_array()) {
    fault.processes.emplace();
    for (const Json& process : *processes) fault.processes->push_back(process_of(process));
  }
  fault.severity = severity_of(o);
  fault.title = o.text("title");
  fault.explanation = o.text("explanation");
  fault.action = o.text("action");
  return fault;
}

}  // namespace

Result<FaultsView> parse_faults(std::string_view json) {
  const Json document = parse_bounded(json);
  const JsonObject o(document);
  const Json& faults = o.list("faults");
  if (o.text("schema") != "gpukeeper.faults/1" || faults.size() > kMostRead || o.list("totals").size() > kMostRead) {
    return fail(Errc::invalid_argument, "is no document of gpukeeper.faults/1");
  }
  FaultsView view;
  for (const Json& each : faults) view.faults.push_back(std::make_shared<const FaultRecord>(fault_of(each)));
  for (const Json& each : o.list("totals")) {
    const JsonObject total(each);
    view.totals.push_back({.device = DeviceId{total.text("uuid")},
                           .kind = kind_of(total),
                           .severity = severity_of(total),
                           .count = total.whole("count").value_or(0),
                           .last = total.time("last_at").value_or(WallTime{})});
  }
  view.journal = o.object("journal").text("place");
  view.journal_note = o.object("journal").text("message");
  return view;
}

}  // namespace gpukeeper
