#include "format/json_text.hpp"
#include "report/figures.hpp"
#include "report/report_json.hpp"

namespace gpukeeper::report {
namespace {

// Where the figures are left open, which the tables of figures.cpp fill in.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:report:1",
  "title": "gpukeeper report --json",
  "description": "What the GPUs did and who used them over a stretch of time. What was not measured is null, or counted as unknown: never 0. Members may be added; none is removed or changes its meaning within gpukeeper.report/1.",
  "type": "object",
  "required": ["schema", "host", "basis", "simulated", "recorded", "from", "to", "column_seconds", "tariff", "total",
               "devices", "users", "services", "containers", "pods", "jobs", "by_lease", "shared", "hoarders", "leases", "alerts",
               "faults", "advice", "unknown"],
  "properties": {
    "schema": {"const": "gpukeeper.report/1"},
    "host": {"type": "string"},
    "basis": {"enum": ["daemon", "recording", "simulation", "watched"],
              "description": "The account that gpukeeper serve keeps, a recording or a simulated machine's time that was played, or what the command itself has watched."},
    "simulated": {"type": "boolean", "description": "Some GPUs are made up by a scenario."},
    "recorded": {"type": "boolean", "description": "Some GPUs are out of a recording."},
    "from": {"$ref": "#/$defs/time"},
    "to": {"$ref": "#/$defs/time"},
    "column_seconds": {"type": "integer", "minimum": 0, "description": "The length of the columns of each GPU."},
    "tariff": {
      "type": "object",
      "required": ["price_per_kwh", "currency", "carbon_g_per_kwh"],
      "properties": {
        "price_per_kwh": {"$ref": "#/$defs/figure"},
        "currency": {"type": ["string", "null"]},
        "carbon_g_per_kwh": {"$ref": "#/$defs/figure"}
      }
    },
    "total": {"$ref": "#/$defs/use", "description": "Of all GPUs."},
    "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}},
    "users": {"$ref": "#/$defs/parties", "description": "The largest first; last the one without a name, whose user is not known."},
    "services": {"$ref": "#/$defs/parties", "description": "By lease, else systemd unit, Slurm job, pod or container; last what is of none."},
    "containers": {"$ref": "#/$defs/parties"},
    "pods": {"$ref": "#/$defs/parties"},
    "jobs": {"$ref": "#/$defs/parties"},
    "by_lease": {"$ref": "#/$defs/parties"},
    "shared": {
      "type": "object",
      "description": "GPU-hours in which several processes were on a GPU, by what they were divided.",
      "required": ["by_use_hours", "by_memory_hours", "evenly_hours"],
      "additionalProperties": {"type": "number", "minimum": 0}
    },
    "hoarders": {
      "type": "array",
      "description": "Whose processes held 1 GiB or more of a GPU for an hour or longer without using it themselves; the most memory, by its time, first; at most 100.",
      "items": {
        "type": "object",
        "required": ["index", "user", "service", "lease", "class", "hoarded_hours", "hoarded_gib_hours"],
        "properties": {
          "index": {"type": "integer", "minimum": 0},
          "user": {"type": ["string", "null"]},
          "service": {"type": ["string", "null"]},
          "lease": {"type": ["string", "null"]},
          "class": {"type": "string"},
          "hoarded_hours": {"type": "number", "minimum": 0, "description": "Of processes: two of them at once count twice."},
          "hoarded_gib_hours": {"type": "number", "minimum": 0}
        }
      }
    },
    "leases": {
      "type": "array",
      "description": "That were held in that time, those that were hardly used first.",
      "items": {
        "type": "object",
        "required": ["id", "service", "user", "index", "state", "held_hours", "booked_bytes", "peak_bytes", "underused"],
        "properties": {
          "id": {"type": "string"},
          "service": {"type": "string"},
          "user": {"type": ["string", "null"]},
          "index": {"$ref": "#/$defs/index"},
          "state": {"type": "string"},
          "held_hours": {"type": "number", "minimum": 0},
          "booked_bytes": {"type": "number", "minimum": 0},
          "peak_bytes": {"$ref": "#/$defs/figure", "description": "The most that was ever used of it; null where nobody can tell."},
          "underused": {"type": "boolean"}
        }
      }
    },
    "alerts": {
      "type": "array",
      "description": "That were raised, or not over, in that time; the latest first.",
      "items": {
        "type": "object",
        "required": ["id", "rule", "level", "index", "fired_at", "resolved_at", "message"],
        "properties": {
          "id": {"type": "string"},
          "rule": {"type": "string"},
          "level": {"enum": ["info", "warning", "critical"]},
          "index": {"$ref": "#/$defs/index"},
          "fired_at": {"$ref": "#/$defs/time"},
          "resolved_at": {"anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
          "message": {"type": "string"}
        }
      }
    },
    "faults": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["index", "title", "severity", "count"],
        "properties": {
          "index": {"$ref": "#/$defs/index"},
          "title": {"type": "string"},
          "severity": {"enum": ["info", "warning", "error", "critical"]},
          "count": {"type": "integer", "minimum": 1}
        }
      }
    },
    "advice": {
      "type": "array",
      "description": "What stands out, the gravest first.",
      "items": {
        "type": "object",
        "required": ["weight", "sentence"],
        "properties": {"weight": {"enum": ["bad", "notice", "good"]}, "sentence": {"type": "string"}}
      }
    },
    "unknown": {"type": "array", "description": "What was not measured, a sentence each.", "items": {"type": "string"}}
  },
  "$defs": {
    "time": {"type": "string", "format": "date-time", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"},
    "index": {"type": ["integer", "null"], "minimum": 0},
    "figure": {"type": ["number", "null"], "minimum": 0},
    "peak_time": {"anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
    "use": {"type": "object"},
    "usage": {"type": "object"},
    "parties": {"type": "array", "items": {"$ref": "#/$defs/usage"}},
    "device": {
      "$ref": "#/$defs/use",
      "required": ["index", "uuid", "name", "simulated", "recorded", "memory_total_bytes", "columns"],
      "properties": {
        "index": {"type": "integer", "minimum": 0},
        "uuid": {"type": "string"},
        "name": {"type": "string"},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "memory_total_bytes": {"$ref": "#/$defs/figure"},
        "columns": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["time", "watched_seconds", "utilization_percent", "power_watts", "temperature_celsius",
                         "temperature_peak_celsius", "slowed_seconds"],
            "properties": {
              "time": {"$ref": "#/$defs/time"},
              "watched_seconds": {"type": "number", "minimum": 0},
              "utilization_percent": {"$ref": "#/$defs/figure"},
              "power_watts": {"$ref": "#/$defs/figure"},
              "temperature_celsius": {"type": ["number", "null"]},
              "temperature_peak_celsius": {"type": ["number", "null"]},
              "slowed_seconds": {"$ref": "#/$defs/figure"}
            }
          }
        }
      }
    }
  }
})json";

// Temperatures alone may be below zero.
Json kind_of(std::string_view name) {
  if (name.ends_with("_celsius")) return {{"type", Json::array({"number", "null"})}};
  return {{"$ref", "#/$defs/figure"}};
}

}  // namespace

std::string report_schema() {
  Json schema = Json::parse(kSchema);
  Json& use = schema["$defs"]["use"];
  for (const DeviceFigure& figure : device_figures()) {
    use["required"].push_back(figure.name);
    use["properties"][std::string(figure.name)] = kind_of(figure.name);
  }
  for (const char* name : {"temperature_peak_at", "power_peak_at", "memory_peak_at"}) {
    use["required"].push_back(name);
    use["properties"][name] = {{"$ref", "#/$defs/peak_time"}};
  }
  Json& usage = schema["$defs"]["usage"];
  usage["required"].push_back("name");
  usage["properties"]["name"] = {{"type", Json::array({"string", "null"})}};
  for (const UsageFigure& figure : usage_figures()) {
    usage["required"].push_back(figure.name);
    usage["properties"][std::string(figure.name)] = kind_of(figure.name);
  }
  return dump(schema, true) + "\n";
}

}  // namespace gpukeeper::report
