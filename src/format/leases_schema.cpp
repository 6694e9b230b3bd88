#include "format/leases_json.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:leases:1",
  "title": "gpukeeper leases --json, and every answer of /api/v1/leases and /api/v1/quotas",
  "description": "Bookings of GPU memory. All sizes are bytes, all durations seconds; null stands for what is not known or not there. Members may be added; none is removed or changes its meaning within version 1.",
  "oneOf": [
    {"$ref": "#/$defs/leases_document"},
    {"$ref": "#/$defs/lease_document"},
    {"$ref": "#/$defs/ending_document"},
    {"$ref": "#/$defs/endings_document"},
    {"$ref": "#/$defs/quotas_document"},
    {"$ref": "#/$defs/problem"}
  ],
  "$defs": {
    "time": {
      "type": "string",
      "description": "RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "id": {"type": "string", "pattern": "^[1-9][0-9]{0,19}$", "description": "A number of 64 bits, as a text: not every reader of JSON can count so far."},
    "count": {"type": "integer", "minimum": 0},
    "bytes": {"type": "integer", "minimum": 0},
    "bytes_or_null": {"type": ["integer", "null"], "minimum": 0},
    "text_or_null": {"type": ["string", "null"]},
    "seconds_or_null": {"type": ["number", "null"], "minimum": 0},
    "state": {"enum": ["waiting", "starting", "active", "suspended", "draining", "leaked", "ended"]},
    "owner": {
      "type": "object",
      "required": ["kind"],
      "properties": {
        "kind": {"enum": ["standing", "process", "heartbeat"], "description": "What the lease lives and dies with."},
        "pid": {"type": "integer", "minimum": 1, "description": "Of a process."},
        "ttl_seconds": {"type": "number", "minimum": 0, "description": "Of a heartbeat."}
      }
    },
    "foreign": {
      "type": "array",
      "description": "Processes that use the device without a lease, the largest first.",
      "items": {
        "type": "object",
        "required": ["pid", "name", "memory_bytes"],
        "properties": {
          "pid": {"type": "integer"},
          "name": {"$ref": "#/$defs/text_or_null"},
          "memory_bytes": {"$ref": "#/$defs/bytes_or_null"}
        }
      }
    },
    "lease": {
      "type": "object",
      "required": ["id", "group", "group_size", "generation", "fencing_token", "service", "device", "index", "simulated", "recorded", "name", "request_id", "state", "reason", "min_bytes", "max_bytes", "observed_bytes", "peak_bytes", "charge_bytes", "owner", "uid", "user", "priority", "exclusive", "overused", "surface", "created", "changed", "ends_in_seconds", "metadata"],
      "properties": {
        "id": {"$ref": "#/$defs/id"},
        "group": {"$ref": "#/$defs/id", "description": "The first of those that were granted with it: their ids follow each other."},
        "group_size": {"type": "integer", "minimum": 1},
        "generation": {"type": "integer", "minimum": 1, "description": "One more whenever its terms change."},
        "fencing_token": {"type": "integer", "minimum": 0, "description": "Larger than any that was given out before; 0 while it waits."},
        "service": {"type": "string", "minLength": 1},
        "device": {"$ref": "#/$defs/text_or_null", "description": "Null while it waits."},
        "index": {"type": ["integer", "null"], "minimum": 0},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "name": {"$ref": "#/$defs/text_or_null"},
        "request_id": {"$ref": "#/$defs/text_or_null"},
        "state": {"$ref": "#/$defs/state"},
        "reason": {"enum": [null, "released", "owner_died", "expired", "revoked", "timed_out", "cancelled", "rebooted", "device_gone"], "description": "Why it is over; null while it is not."},
        "min_bytes": {"$ref": "#/$defs/bytes", "description": "Guaranteed."},
        "max_bytes": {"$ref": "#/$defs/bytes", "description": "As far as it may go where there is room."},
        "observed_bytes": {"$ref": "#/$defs/bytes_or_null", "description": "What the driver says its processes hold."},
        "peak_bytes": {"$ref": "#/$defs/bytes"},
        "charge_bytes": {"$ref": "#/$defs/bytes", "description": "What it costs its device: the larger of guaranteed and observed, 0 when it holds nothing."},
        "owner": {"$ref": "#/$defs/owner"},
        "uid": {"$ref": "#/$defs/count"},
        "user": {"$ref": "#/$defs/text_or_null"},
        "priority": {"type": "integer", "minimum": -100, "maximum": 100},
        "exclusive": {"type": "boolean"},
        "overused": {"type": "boolean", "description": "More than its most is observed."},
        "surface": {"enum": ["native", "documented"]},
        "created": {"$ref": "#/$defs/time"},
        "changed": {"$ref": "#/$defs/time", "description": "When its state began."},
        "ends_in_seconds": {"$ref": "#/$defs/seconds_or_null", "description": "When its state ends by itself: a wait, a heartbeat, its time, its draining; null for never."},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}}
      }
    },
    "device": {
      "type": "object",
      "description": "available = total - reserved - headroom - charged - draining - unmanaged, and no more than what may still be booked.",
      "required": ["id", "index", "name", "simulated", "recorded", "available", "reason", "total_bytes", "reserved_bytes", "used_bytes", "capacity_bytes", "headroom_bytes", "booked_bytes", "charged_bytes", "draining_bytes", "unmanaged_bytes", "available_bytes", "leases", "exclusive", "foreign"],
      "properties": {
        "id": {"type": "string", "minLength": 1},
        "index": {"type": ["integer", "null"], "minimum": 0},
        "name": {"$ref": "#/$defs/text_or_null"},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "available": {"type": "boolean"},
        "reason": {"$ref": "#/$defs/text_or_null", "description": "Why it is not available, or takes nothing new."},
        "total_bytes": {"$ref": "#/$defs/bytes_or_null"},
        "reserved_bytes": {"$ref": "#/$defs/bytes_or_null", "description": "By the driver."},
        "used_bytes": {"$ref": "#/$defs/bytes_or_null"},
        "capacity_bytes": {"$ref": "#/$defs/bytes_or_null", "description": "What can be booked at all."},
        "headroom_bytes": {"$ref": "#/$defs/bytes_or_null"},
        "booked_bytes": {"$ref": "#/$defs/bytes", "description": "Guaranteed to the leases that are held."},
        "charged_bytes": {"$ref": "#/$defs/bytes", "description": "The larger of guaranteed and observed of each of them."},
        "draining_bytes": {"$ref": "#/$defs/bytes"},
        "unmanaged_bytes": {"$ref": "#/$defs/bytes_or_null", "description": "Used beyond what is observed of leases."},
        "available_bytes": {"$ref": "#/$defs/bytes_or_null"},
        "leases": {"$ref": "#/$defs/count", "description": "That are held."},
        "exclusive": {"type": "boolean", "description": "Somebody has it alone."},
        "foreign": {"$ref": "#/$defs/foreign"}
      }
    },
    "leases_document": {
      "type": "object",
      "required": ["schema", "taken_at", "closed", "devices", "leases", "waiting"],
      "properties": {
        "schema": {"const": "gpukeeper.leases/1"},
        "taken_at": {"$ref": "#/$defs/time"},
        "closed": {"$ref": "#/$defs/text_or_null", "description": "Why nothing is granted at the moment."},
        "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}},
        "leases": {"type": "array", "items": {"$ref": "#/$defs/lease"}, "description": "All that are not over, by id."},
        "waiting": {"type": "array", "items": {"$ref": "#/$defs/id"}, "description": "In the order in which they are served."},
        "ended": {"type": "array", "items": {"$ref": "#/$defs/lease"}, "description": "Those that are over and remembered, the latest first; only where asked for."}
      }
    },
    "lease_document": {
      "type": "object",
      "required": ["schema", "leases", "repeated", "note"],
      "properties": {
        "schema": {"const": "gpukeeper.lease/1"},
        "leases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/lease"}, "description": "One a device."},
        "repeated": {"type": "boolean", "description": "It was made before, by a request with the same id."},
        "note": {"$ref": "#/$defs/text_or_null", "description": "Why it is not on the device that was preferred."}
      }
    },
    "ending_document": {
      "type": "object",
      "required": ["schema", "id", "state", "already", "observed_bytes", "note"],
      "properties": {
        "schema": {"const": "gpukeeper.ending/1"},
        "id": {"$ref": "#/$defs/id"},
        "state": {"$ref": "#/$defs/state", "description": "draining while the driver does not show the drop yet."},
        "already": {"type": "boolean", "description": "It was over before."},
        "observed_bytes": {"$ref": "#/$defs/bytes_or_null", "description": "What the driver still shows of it."},
        "note": {"$ref": "#/$defs/text_or_null", "description": "That the drop was waited for and did not come."}
      }
    },
    "endings_document": {
      "type": "object",
      "required": ["schema", "ended"],
      "properties": {
        "schema": {"const": "gpukeeper.endings/1"},
        "ended": {"$ref": "#/$defs/count"}
      }
    },
    "quotas_document": {
      "type": "object",
      "required": ["schema", "services"],
      "properties": {
        "schema": {"const": "gpukeeper.quotas/1"},
        "services": {
          "type": "array",
          "description": "Every service that has a quota or holds something, by name.",
          "items": {
            "type": "object",
            "required": ["service", "quota", "booked_bytes", "leases"],
            "properties": {
              "service": {"type": "string", "minLength": 1},
              "quota": {
                "type": ["object", "null"],
                "required": ["min_request_bytes", "max_request_bytes", "total_bytes", "leases", "devices", "preferred_device", "near", "apart", "priority"],
                "properties": {
                  "min_request_bytes": {"$ref": "#/$defs/bytes_or_null"},
                  "max_request_bytes": {"$ref": "#/$defs/bytes_or_null"},
                  "total_bytes": {"$ref": "#/$defs/bytes_or_null"},
                  "leases": {"type": ["integer", "null"], "minimum": 0},
                  "devices": {"type": "array", "items": {"type": "string"}, "description": "Empty for all."},
                  "preferred_device": {"$ref": "#/$defs/text_or_null"},
                  "near": {"type": "array", "items": {"type": "string"}},
                  "apart": {"type": "array", "items": {"type": "string"}},
                  "priority": {"type": "integer"}
                }
              },
              "booked_bytes": {"$ref": "#/$defs/bytes"},
              "leases": {"$ref": "#/$defs/count"}
            }
          }
        }
      }
    },
    "problem": {
      "type": "object",
      "required": ["title", "status", "code", "detail"],
      "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "minLength": 1},
        "detail": {"type": "string", "minLength": 1, "description": "Sentences for people, one a line."},
        "waited_seconds": {"type": "number", "minimum": 0, "description": "How long it was waited for in vain."},
        "refusal": {
          "type": "object",
          "required": ["cause", "may_come", "devices"],
          "properties": {
            "cause": {"enum": ["closed", "invalid", "misused_id", "quota", "no_device", "never", "no_room", "queue_full"]},
            "may_come": {"type": "boolean", "description": "Whether waiting may help: what is missing is held by somebody."},
            "devices": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["device", "index", "bar", "detail", "available_bytes", "capacity_bytes", "short_by_bytes", "unmanaged_bytes", "draining_bytes", "reclaimable_bytes", "behind", "in_the_way", "more_leases", "foreign"],
                "properties": {
                  "device": {"type": "string", "minLength": 1},
                  "index": {"$ref": "#/$defs/count"},
                  "bar": {"enum": ["none", "unavailable", "closed", "not_allowed", "not_required", "name_taken", "exclusive", "occupied", "foreign", "unknown", "never", "burst", "documented", "no_room", "reserved"], "description": "Why this device does not take it."},
                  "detail": {"$ref": "#/$defs/text_or_null"},
                  "available_bytes": {"$ref": "#/$defs/bytes"},
                  "capacity_bytes": {"$ref": "#/$defs/bytes"},
                  "short_by_bytes": {"$ref": "#/$defs/bytes"},
                  "unmanaged_bytes": {"$ref": "#/$defs/bytes"},
                  "draining_bytes": {"$ref": "#/$defs/bytes"},
                  "reclaimable_bytes": {"$ref": "#/$defs/bytes", "description": "Used beyond what is guaranteed: could be asked back."},
                  "behind": {"oneOf": [{"$ref": "#/$defs/id"}, {"type": "null"}], "description": "The request that waits for the device and came before."},
                  "in_the_way": {
                    "type": "array",
                    "description": "The largest leases there.",
                    "items": {
                      "type": "object",
                      "required": ["id", "service", "owner", "state", "charge_bytes", "ends_in_seconds"],
                      "properties": {
                        "id": {"$ref": "#/$defs/id"},
                        "service": {"type": "string"},
                        "owner": {"$ref": "#/$defs/owner"},
                        "state": {"$ref": "#/$defs/state"},
                        "charge_bytes": {"$ref": "#/$defs/bytes"},
                        "ends_in_seconds": {"$ref": "#/$defs/seconds_or_null"}
                      }
                    }
                  },
                  "more_leases": {"$ref": "#/$defs/count", "description": "Smaller ones that are not listed."},
                  "foreign": {"$ref": "#/$defs/foreign"}
                }
              }
            }
          }
        }
      }
    }
  }
})json";

}  // namespace

std::string leases_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

}  // namespace gpukeeper
