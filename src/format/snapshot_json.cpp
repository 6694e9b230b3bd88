#include "format/snapshot_json.hpp"

#include <algorithm>

#include "format/alert_object.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"
#include "format/process_json.hpp"
#include "format/throttling_json.hpp"
#include "telemetry/overall.hpp"

namespace gpukeeper {
namespace {

std::string_view to_string(Attention attention) {
  switch (attention) {
    case Attention::awake: return "awake";
    case Attention::resting: return "resting";
    case Attention::asleep: return "asleep";
  }
  return "awake";
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Its account in the book; null where nobody keeps one.
Json booking_json(const Snapshot& snapshot, const DeviceSnapshot& d) {
  if (!snapshot.booked) return {};
  const auto& accounts = snapshot.booked->devices;
  const auto account = std::ranges::find(accounts, d.device->id, &BookedDevice::id);
  if (account == accounts.end()) return {};
  Json missing = Json::object();
  const auto known = [&](const char* name, const Metric<Bytes>& bytes) {
    if (!bytes) missing[name] = to_string(bytes.error());
    return bytes ? Json(bytes->value()) : Json();
  };
  Json json = {{"capacity_bytes", known("capacity_bytes", account->capacity)},
               {"booked_bytes", account->booked.value()},
               {"available_bytes", known("available_bytes", account->available)},
               {"unmanaged_bytes", known("unmanaged_bytes", account->unmanaged)},
               {"charged_bytes", account->charged.value()},
               {"draining_bytes", account->draining.value()},
               {"leaked_bytes", account->leaked.value()},
               {"leases", account->leases}};
  json["missing"] = std::move(missing);
  return json;
}

Json device_json(const Snapshot& snapshot, const DeviceSnapshot& d, CommandLines command_lines) {
  const Device& device = *d.device;
  Json metrics = Json::object();
  Json absent = Json::object();
  for (const MetricRow& row : metric_table()) {
    const std::string name(row.name);
    const auto value = row.value(device, d.reading);
    metrics[name] = value ? to_json(*value) : Json();
    if (metrics[name].is_null()) absent[name] = to_string(value ? Missing::failed : value.error());
  }
  Json sensors = Json::array();
  for (const Sensor& sensor : d.reading.sensors) {
    sensors.push_back({{"name", sensor.name}, {"unit", sensor.unit}, {"value", to_json(MetricValue(sensor.value))}});
  }
  Json processes = Json::array();
  for (const GpuProcess& process : *d.processes) {
    processes.push_back(process_json(snapshot, d, process, command_lines));
  }
  Json partitions = Json::array();
  for (const DeviceSnapshot& partition : d.partitions) {
    partitions.push_back(device_json(snapshot, partition, command_lines));
  }
  return {
      {"index", d.index},
      {"uuid", device.id.text},
      {"vendor", to_string(device.vendor)},
      {"name", device.name},
      {"partition", device.partition ? Json(*device.partition) : Json()},
      {"source", device.source},
      {"simulated", device.simulated},
      {"recorded", device.recorded},
      {"pci_address", device.pci ? Json(device.pci->to_string()) : Json()},
      {"driver_version", or_null(device.driver_version)},
      {"available", d.available},
      {"attention", to_string(d.reading.attention)},
      {"state", to_string(d.state)},
      {"reason", text_or_null(d.reason)},
      {"throttling", throttling_json(snapshot, d.throttling)},
      {"lamp", to_string(d.lamp)},
      {"read_at", d.read_at ? Json(rfc3339(*d.read_at)) : Json()},
      {"metrics", std::move(metrics)},
      {"missing", std::move(absent)},
      {"sensors", std::move(sensors)},
      {"booking", booking_json(snapshot, d)},
      {"processes", std::move(processes)},
      {"processes_reason", text_or_null(d.processes_reason)},
      {"partitions", std::move(partitions)},
  };
}

// What a metric's value may be, from its row.
Json metric_schema(const MetricRow& row) {
  Json schema = {{"description", row.help}};
  if (row.type == MetricType::info) {
    schema["type"] = {"string", "boolean", "integer", "null"};
    return schema;
  }
  schema["type"] = {row.unit == "bytes" ? "integer" : "number", "null"};
  if (row.unit == "bytes" || row.unit == "percent" || row.unit == "watts") schema["minimum"] = 0;
  if (row.unit == "percent") schema["maximum"] = 100;
  return schema;
}

// All but the metrics. Objects may gain members in later releases; what stands here stays within gpukeeper.status/1.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:status:1",
  "title": "gpukeeper status --json",
  "description": "Every GPU at one instant. An absent value is null, and its reason stands under missing. Members may be added; none is removed or changes its meaning within gpukeeper.status/1.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "sequence", "state", "speed_multiplier", "lamp", "alerts", "devices", "sources", "event_sources", "self"],
  "properties": {
    "schema": {"const": "gpukeeper.status/1"},
    "taken_at": {"$ref": "#/$defs/time"},
    "host": {"type": "string"},
    "replayed": {"type": "boolean", "description": "Out of a recording: taken_at is its time, not today's."},
    "sequence": {"type": "integer", "minimum": 0, "description": "One more each tick; 0 before the first."},
    "state": {"$ref": "#/$defs/state", "description": "The worst governed state of the devices; sleeping ones do not count."},
    "speed_multiplier": {"$ref": "#/$defs/speed", "description": "For work on all devices at once: that of the slowest."},
    "lamp": {"$ref": "#/$defs/lamp", "description": "The worst of the devices' and of the machine's own alerts."},
    "alerts": {"type": "array", "items": {"$ref": "#/$defs/alert"}, "description": "What needs a person's attention: firing ones first, then pending, then those resolved of late."},
    "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}, "description": "Physical devices in PCI order."},
    "sources": {"type": "array", "items": {"$ref": "#/$defs/source"}},
    "event_sources": {
      "type": "array",
      "description": "What reports events, and what keeps them: the fault journal and the alerts where they have something to say.",
      "items": {
        "type": "object",
        "required": ["name", "available", "message"],
        "properties": {
          "name": {"type": "string", "minLength": 1},
          "available": {"type": "boolean"},
          "message": {"type": ["string", "null"], "description": "Why it is not available and what to do, or what else is to be said of it."}
        }
      }
    },
    "who_reason": {"type": ["string", "null"], "description": "What is not seen of who the processes are, and how to grant it."},
    "book": {
      "type": ["object", "null"],
      "description": "The book of leases; null where nobody keeps it, as in a command that asks no daemon.",
      "required": ["closed"],
      "properties": {"closed": {"type": ["string", "null"], "description": "Why nothing is granted; null when it is."}}
    },
    "self": {
      "type": "object",
      "description": "What gpukeeper itself has cost since it started.",
      "required": ["cpu_seconds", "resident_bytes", "driver_calls", "driver_seconds"],
      "properties": {
        "cpu_seconds": {"type": "number", "minimum": 0},
        "resident_bytes": {"type": "integer", "minimum": 0},
        "driver_calls": {"type": "integer", "minimum": 0},
        "driver_seconds": {"type": "number", "minimum": 0}
      }
    }
  },
  "$defs": {
    "time": {
      "type": "string",
      "description": "RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "time_or_null": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
    "lamp": {"enum": ["off", "green", "yellow", "red"], "description": "The signal light: red for something critical, yellow for a warning."},
    "percent": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "missing": {
      "type": "object",
      "description": "For what is null because it is not known: why.",
      "additionalProperties": {"enum": ["not_supported", "not_permitted", "not_yet_read", "asleep", "failed"]}
    },
    "device": {
      "type": "object",
      "required": ["index", "uuid", "vendor", "name", "partition", "source", "simulated", "recorded", "pci_address", "driver_version", "available", "attention", "state", "reason", "throttling", "lamp", "read_at", "metrics", "missing", "sensors", "processes", "processes_reason", "partitions"],
      "properties": {
        "index": {"type": "integer", "minimum": 0, "description": "Position in PCI order; of a partition, within its device."},
        "uuid": {"type": "string", "minLength": 1, "description": "The stable name: the vendor's UUID, else made from the PCI address."},
        "vendor": {"enum": ["nvidia", "amd", "intel", "other"]},
        "name": {"type": "string", "minLength": 1},
        "partition": {"type": ["string", "null"], "description": "Of a partition: its profile and place."},
        "source": {"type": "string", "minLength": 1, "description": "What reads the device: nvml, amdgpu, simulated and so on."},
        "simulated": {"type": "boolean", "description": "Made up by a scenario: no such hardware is there."},
        "recorded": {"type": "boolean", "description": "Read from files that another machine left."},
        "pci_address": {"type": ["string", "null"], "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-7]$"},
        "driver_version": {"type": ["string", "null"]},
        "available": {"type": "boolean", "description": "Whether the metrics speak of the device as it is now."},
        "attention": {"enum": ["awake", "resting", "asleep"], "description": "How far the device was looked at; a sleeping one is never woken."},
        "state": {"$ref": "#/$defs/state", "description": "That the reading shows by itself."},
        "reason": {"type": ["string", "null"], "description": "Why it is not available, or why its reading is old."},
        "throttling": {"$ref": "#/$defs/throttling"},
        "lamp": {"$ref": "#/$defs/lamp", "description": "The worst of its alerts that fire, its partitions' among them; of a partition, the worst of its own and its device's."},
        "read_at": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
        "metrics": {"$ref": "#/$defs/metrics"},
        "missing": {"$ref": "#/$defs/missing"},
        "sensors": {
          "type": "array",
          "description": "Further sensors under the driver's own names.",
          "items": {
            "type": "object",
            "required": ["name", "unit", "value"],
            "properties": {"name": {"type": "string"}, "unit": {"type": "string"}, "value": {"type": ["number", "null"]}}
          }
        },
        "booking": {"$ref": "#/$defs/booking"},
        "processes": {"type": "array", "items": {"$ref": "#/$defs/process"}, "description": "Ordered by pid."},
        "processes_reason": {"type": ["string", "null"], "description": "Why the processes are not known."},
        "partitions": {"type": "array", "items": {"$ref": "#/$defs/device"}}
      }
    },
    "booking": {
      "type": ["object", "null"],
      "description": "What is booked of its memory; null where nobody keeps the book, and of a device whose partitions are booked instead.",
      "required": ["capacity_bytes", "booked_bytes", "available_bytes", "unmanaged_bytes", "charged_bytes", "draining_bytes", "leaked_bytes", "leases", "missing"],
      "properties": {
        "capacity_bytes": {"type": ["integer", "null"], "minimum": 0, "description": "What can be booked at all."},
        "booked_bytes": {"type": "integer", "minimum": 0, "description": "Guaranteed to leases that are held."},
        "available_bytes": {"type": ["integer", "null"], "minimum": 0, "description": "What can be granted now."},
        "unmanaged_bytes": {"type": ["integer", "null"], "minimum": 0, "description": "In use, and no lease's."},
        "charged_bytes": {"type": "integer", "minimum": 0, "description": "Of each of these leases what is guaranteed or observed, whichever is more."},
        "draining_bytes": {"type": "integer", "minimum": 0, "description": "The same of leases that are over."},
        "leaked_bytes": {"type": "integer", "minimum": 0, "description": "Still in use by leases that are over for long."},
        "leases": {"type": "integer", "minimum": 0, "description": "That are held."},
        "missing": {"$ref": "#/$defs/missing"}
      }
    },
    "state": {"enum": ["optimal", "normal", "throttled", "critical", "unavailable"]},
    "speed": {"type": "number", "minimum": 0, "maximum": 1, "description": "What work multiplies its pace by: 1, 0.8, 0.5 or 0."},
    "throttling": {
      "type": "object",
      "description": "What the governor advises. A device that cannot be looked at has full speed.",
      "required": ["state", "state_since", "speed_multiplier", "should_throttle", "requests"],
      "properties": {
        "state": {"$ref": "#/$defs/state", "description": "That of the readings, with hysteresis and dwell."},
        "state_since": {"$ref": "#/$defs/time"},
        "speed_multiplier": {"$ref": "#/$defs/speed"},
        "should_throttle": {"type": "boolean", "description": "Whether that is half the speed or less."},
        "thresholds": {
          "type": "object",
          "description": "The borders between the states that hold for this device: below the first optimal, below the second normal, below the third throttled.",
          "required": ["temp_optimal", "temp_normal", "temp_throttle", "temp_critical", "memory_optimal", "memory_normal", "memory_critical"],
          "additionalProperties": {"type": "number", "description": "Degrees Celsius of temp_, percent of memory_."}
        },
        "requests": {
          "type": "array",
          "description": "All that ask for less than full speed, the strictest, which decides, first.",
          "items": {
            "type": "object",
            "required": ["cause", "speed_multiplier", "reason", "since", "until"],
            "properties": {
              "cause": {"enum": ["thermal", "power", "memory", "load", "operator", "foreign_application", "missing_sensor"]},
              "speed_multiplier": {"$ref": "#/$defs/speed"},
              "reason": {"type": "string"},
              "since": {"$ref": "#/$defs/time"},
              "until": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}], "description": "When it ends or eases unless something happens; null: with its cause."}
            }
          }
        }
      }
    },
    "process": {
      "type": "object",
      "description": "Who it is (from user on to class) stands there where somebody looked: all of it or nothing. What is null and stands under missing is not known; any other null is a fact: the process is in no container.",
      "required": ["pid", "name", "type", "memory_bytes", "missing"],
      "dependentRequired": {"user": ["uid", "executable", "started_at", "cpu_percent", "resident_bytes", "container", "pod_uid", "unit", "slurm_job", "root", "class"]},
      "properties": {
        "pid": {"type": "integer", "minimum": 1},
        "name": {"type": "string", "description": "Empty when it could not be read."},
        "type": {"type": "string", "description": "compute, graphics, compute+graphics, mps or unknown."},
        "memory_bytes": {"type": ["integer", "null"], "minimum": 0},
        "utilization_percent": {"$ref": "#/$defs/percent"},
        "utilization_memory_percent": {"$ref": "#/$defs/percent"},
        "utilization_encoder_percent": {"$ref": "#/$defs/percent"},
        "utilization_decoder_percent": {"$ref": "#/$defs/percent"},
        "partition_uuid": {"type": ["string", "null"], "description": "The partition that it runs in."},
        "user": {"type": ["string", "null"], "description": "The name; the number where no name is known."},
        "uid": {"type": ["integer", "null"], "minimum": 0},
        "command_line": {"type": ["string", "null"], "description": "The arguments, with secrets masked. Not there at all where command lines are left out."},
        "executable": {"type": ["string", "null"], "description": "The path of its program."},
        "started_at": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
        "cpu_percent": {"type": ["number", "null"], "minimum": 0, "description": "100 is one core, so it may be more."},
        "resident_bytes": {"type": ["integer", "null"], "minimum": 0},
        "pid_in_namespace": {"type": ["integer", "null"], "description": "What it calls itself in its own pid namespace."},
        "container": {
          "type": ["object", "null"],
          "required": ["runtime", "id"],
          "properties": {"runtime": {"type": "string"}, "id": {"type": "string", "minLength": 1}}
        },
        "pod_uid": {"type": ["string", "null"], "description": "The Kubernetes pod."},
        "pod": {
          "type": ["object", "null"],
          "description": "How Kubernetes calls that pod, as its kubelet tells; null where it is not asked, or where its answer leaves open which pod it is.",
          "required": ["namespace", "name", "container"],
          "properties": {
            "namespace": {"type": "string"},
            "name": {"type": "string", "minLength": 1},
            "container": {"type": ["string", "null"], "description": "Null where the pod's containers cannot be told apart."}
          }
        },
        "unit": {"type": ["string", "null"], "description": "The systemd unit."},
        "slurm_job": {"type": ["string", "null"]},
        "root": {
          "type": ["object", "null"],
          "description": "The process from which a person started it.",
          "required": ["pid", "name", "terminal"],
          "properties": {"pid": {"type": "integer"}, "name": {"type": "string"}, "terminal": {"type": ["string", "null"]}}
        },
        "class": {
          "type": "object",
          "description": "What kind of work it does, and the rule that says so.",
          "required": ["kind", "rule", "reason", "confidence"],
          "properties": {
            "kind": {"enum": ["unknown", "mining", "ml_training", "ml_inference", "ml", "video", "gaming", "desktop"]},
            "rule": {"type": ["string", "null"]},
            "reason": {"type": ["string", "null"]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1}
          }
        },
        "missing": {"$ref": "#/$defs/missing"}
      }
    },
    "source": {
      "type": "object",
      "required": ["name", "available", "message", "devices"],
      "properties": {
        "name": {"type": "string"},
        "available": {"type": "boolean"},
        "message": {"type": ["string", "null"], "description": "Why it is not available, and what to do."},
        "devices": {"type": "integer", "minimum": 0}
      }
    }
  }
})json";

}  // namespace

std::string snapshot_json(const Snapshot& snapshot, bool indented, CommandLines command_lines) {
  Json devices = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) {
    devices.push_back(device_json(snapshot, device, command_lines));
  }
  Json alerts = Json::array();
  for (const Alert& alert : *snapshot.alerts) alerts.push_back(alert_object(alert));
  Json sources = Json::array();
  for (const SourceStatus& source : snapshot.sources) {
    sources.push_back({{"name", source.name},
                       {"available", source.available},
                       {"message", text_or_null(source.message)},
                       {"devices", source.devices}});
  }
  Json event_sources = Json::array();
  for (const EventSourceStatus& source : snapshot.event_sources) {
    event_sources.push_back(
        {{"name", source.name}, {"available", source.available}, {"message", text_or_null(source.message)}});
  }
  return dump({{"schema", kSnapshotSchema},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"replayed", snapshot.replayed},
               {"sequence", snapshot.sequence},
               {"state", to_string(overall_governed_state(snapshot))},
               {"speed_multiplier", overall_speed(snapshot)},
               {"lamp", to_string(snapshot.lamp)},
               {"alerts", std::move(alerts)},
               {"devices", std::move(devices)},
               {"sources", std::move(sources)},
               {"event_sources", std::move(event_sources)},
               {"who_reason", text_or_null(snapshot.who_reason)},
               {"book", snapshot.booked ? Json({{"closed", text_or_null(snapshot.booked->closed)}}) : Json()},
               {"self",
                {{"cpu_seconds", seconds(snapshot.self.cpu)},
                 {"resident_bytes", snapshot.self.resident.value()},
                 {"driver_calls", snapshot.self.driver.calls},
                 {"driver_seconds", seconds(snapshot.self.driver.time)}}}},
              indented);
}

std::string snapshot_schema() {
  Json schema = Json::parse(kSchema);
  Json properties = Json::object();
  Json required = Json::array();
  for (const MetricRow& row : metric_table()) {
    required.push_back(row.name);
    properties[std::string(row.name)] = metric_schema(row);
  }
  schema["$defs"]["alert"] = alert_object_schema();
  schema["$defs"]["metrics"] = {{"type", "object"},
                                {"description", "One flat object; the keys are those of gpukeeper metrics."},
                                {"required", std::move(required)},
                                {"properties", std::move(properties)}};
  return dump(schema, true) + "\n";
}

}  // namespace gpukeeper
