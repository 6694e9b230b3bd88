#include "format/faults_json.hpp"

#include <algorithm>

#include "core/rfc3339.hpp"
#include "format/fault_object.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

Json index_of(const DeviceId& id, const Snapshot& snapshot) {
  const auto found = std::ranges::find(snapshot.devices, id, [](const DeviceSnapshot& d) { return d.device->id; });
  return found == snapshot.devices.end() ? Json() : Json(found->index);
}

Json processes_json(const FaultRecord& record) {
  if (!record.processes) return nullptr;
  Json processes = Json::array();
  for (const FaultProcess& p : *record.processes) {
    processes.push_back({{"pid", p.pid > 0 ? Json(p.pid) : Json()},
                         {"name", p.name},
                         {"user", p.user ? Json(*p.user) : Json()},
                         {"container", p.container ? Json(*p.container) : Json()},
                         {"blamed", p.blamed}});
  }
  return processes;
}

}  // namespace

Json fault_object(const FaultRecord& r, const Snapshot& snapshot) {
  return {
      {"id", r.id},
      {"kind", to_string(r.kind)},
      {"xid", r.kind == EventKind::xid ? Json(r.code) : Json()},
      {"uuid", text_or_null(r.device.text)},
      {"index", index_of(r.device, snapshot)},
      {"pci_address", r.pci ? Json(r.pci->to_string()) : Json()},
      {"name", text_or_null(r.device_name)},
      {"simulated", r.simulated},
      {"recorded", r.recorded},
      {"first_at", rfc3339(r.first)},
      {"last_at", rfc3339(r.last)},
      {"count", r.count},
      {"severity", to_string(r.severity)},
      {"title", r.title},
      {"explanation", r.explanation},
      {"action", r.action},
      {"detail", text_or_null(r.detail)},
      {"sources", r.sources},
      {"processes", processes_json(r)},
  };
}

namespace {

// Objects may gain members in later releases; what stands here stays within gpukeeper.faults/1. The kinds are filled
// in.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:faults:1",
  "title": "gpukeeper faults --json",
  "description": "The fault journal, newest first. Members may be added; none is removed or changes its meaning within gpukeeper.faults/1. Kinds may be added.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "journal", "faults", "totals", "sources"],
  "properties": {
    "schema": {"const": "gpukeeper.faults/1"},
    "taken_at": {"$ref": "#/$defs/time"},
    "host": {"type": "string"},
    "journal": {
      "type": "object",
      "required": ["place", "message"],
      "properties": {
        "place": {"type": ["string", "null"], "description": "The file that was read; null when what is here was found just now."},
        "message": {"type": ["string", "null"], "description": "Why there is none, or what is wrong with it."}
      }
    },
    "faults": {"type": "array", "items": {"$ref": "#/$defs/fault"}},
    "totals": {
      "type": "array",
      "description": "How often each kind of fault happened to each device since the journal was begun.",
      "items": {
        "type": "object",
        "required": ["uuid", "kind", "severity", "count", "last_at"],
        "properties": {
          "uuid": {"type": ["string", "null"]},
          "kind": {"$ref": "#/$defs/kind"},
          "severity": {"$ref": "#/$defs/severity"},
          "count": {"type": "integer", "minimum": 1},
          "last_at": {"$ref": "#/$defs/time"}
        }
      }
    },
    "sources": {
      "type": "array",
      "description": "What was asked for events now.",
      "items": {
        "type": "object",
        "required": ["name", "available", "message"],
        "properties": {
          "name": {"type": "string"},
          "available": {"type": "boolean"},
          "message": {"type": ["string", "null"], "description": "Why it is not available, and what to do."}
        }
      }
    }
  },
  "$defs": {
    "time": {
      "type": "string",
      "description": "RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "kind": {"type": "string"},
    "severity": {"enum": ["info", "warning", "error", "critical"]},
    "fault": {
      "type": "object",
      "required": ["id", "kind", "xid", "uuid", "index", "pci_address", "name", "simulated", "recorded", "first_at", "last_at", "count", "severity", "title", "explanation", "action", "detail", "sources", "processes"],
      "properties": {
        "id": {"type": "integer", "minimum": 1, "description": "Of this journal; never used again."},
        "kind": {"$ref": "#/$defs/kind"},
        "xid": {"type": ["integer", "null"], "description": "NVIDIA's number of the error; of the kind xid."},
        "uuid": {"type": ["string", "null"], "description": "The device; null when the whole machine is meant."},
        "index": {"type": ["integer", "null"], "description": "The device's index now; null when it is not listed now."},
        "pci_address": {"type": ["string", "null"]},
        "name": {"type": ["string", "null"], "description": "The device's name."},
        "simulated": {"type": "boolean", "description": "Made up by a scenario: nothing of it happened."},
        "recorded": {"type": "boolean", "description": "It happened on the machine and at the time of a recording."},
        "first_at": {"$ref": "#/$defs/time"},
        "last_at": {"$ref": "#/$defs/time"},
        "count": {"type": "integer", "minimum": 1, "description": "How often it happened between the two."},
        "severity": {"$ref": "#/$defs/severity"},
        "title": {"type": "string", "minLength": 1},
        "explanation": {"type": "string", "minLength": 1},
        "action": {"type": "string", "minLength": 1},
        "detail": {"type": ["string", "null"], "description": "In the words of a source."},
        "sources": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "Who reported it."},
        "processes": {
          "type": ["array", "null"],
          "description": "Who was on the device then; null when that is not known.",
          "items": {
            "type": "object",
            "required": ["pid", "name", "user", "container", "blamed"],
            "properties": {
              "pid": {"type": ["integer", "null"], "minimum": 1},
              "name": {"type": "string"},
              "user": {"type": ["string", "null"]},
              "container": {"type": ["string", "null"], "description": "Its full id."},
              "blamed": {"type": "boolean", "description": "The driver names it as the cause."}
            }
          }
        }
      }
    }
  }
})json";

}  // namespace

std::string faults_json(const FaultsView& view, const Snapshot& snapshot, bool indented) {
  Json faults = Json::array();
  for (const auto& record : view.faults) faults.push_back(fault_object(*record, snapshot));
  Json totals = Json::array();
  for (const FaultTotal& total : view.totals) {
    totals.push_back({{"uuid", text_or_null(total.device.text)},
                      {"kind", to_string(total.kind)},
                      {"severity", to_string(total.severity)},
                      {"count", total.count},
                      {"last_at", rfc3339(total.last)}});
  }
  Json sources = Json::array();
  for (const EventSourceStatus& source : snapshot.event_sources) {
    sources.push_back(
        {{"name", source.name}, {"available", source.available}, {"message", text_or_null(source.message)}});
  }
  return dump({{"schema", "gpukeeper.faults/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"journal", {{"place", text_or_null(view.journal)}, {"message", text_or_null(view.journal_note)}}},
               {"faults", std::move(faults)},
               {"totals", std::move(totals)},
               {"sources", std::move(sources)}},
              indented);
}

std::string faults_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

}  // namespace gpukeeper
