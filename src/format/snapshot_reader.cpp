#include "format/snapshot_reader.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/alert_object.hpp"
#include "format/bounded_json.hpp"
#include "format/json_metric.hpp"
#include "format/process_reader.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper {
namespace {

// Far more than any machine has: what is beyond them is no snapshot, and would only cost memory.
constexpr std::size_t kMostDevices = 1024;       // partitions of a device, too
constexpr std::size_t kMostProcesses = 100'000;  // of a device
constexpr std::size_t kMostAlerts = 20'000;
constexpr std::size_t kMostSources = 1000;
constexpr std::size_t kMostSensors = 1000;
constexpr std::size_t kMostRequests = 100;

constexpr Vendor kVendors[] = {Vendor::nvidia, Vendor::amd, Vendor::intel, Vendor::other};
constexpr State kStates[] = {State::optimal, State::normal, State::throttled, State::critical, State::unavailable};
constexpr ThrottleCause kCauses[] = {ThrottleCause::thermal,          ThrottleCause::power,
                                     ThrottleCause::memory,           ThrottleCause::load,
                                     ThrottleCause::operator_request, ThrottleCause::foreign_application,
                                     ThrottleCause::missing_sensor};
constexpr std::pair<Attention, std::string_view> kAttentions[] = {
    {Attention::awake, "awake"}, {Attention::resting, "resting"}, {Attention::asleep, "asleep"}};

// Reads one document; notes on the way what it has too many of.
class Reader {
 public:
  explicit Reader(const Json& document) : document_(document) {}

  Result<Snapshot> read() {
    const JsonObject o(document_);
    const auto schema = o.text("schema");
    if (schema != kSnapshotSchema) return fail(Errc::invalid_argument, other_schema(schema));
    const auto taken_at = o.time("taken_at");
    if (!taken_at) return fail(Errc::invalid_argument, "does not say when it was taken");
    snapshot_.taken_at = *taken_at;
    snapshot_.sequence = o.whole("sequence").value_or(0);
    snapshot_.replayed = o.flag("replayed");
    snapshot_.host = o.text("host");
    snapshot_.lamp = word_of(kLamps, o.text("lamp"), Lamp::off);
    snapshot_.who_reason = o.text("who_reason");
    read_book(o);
    for (const Json& each : some(o, "devices", kMostDevices)) snapshot_.devices.push_back(device_from(each, nullptr));
    read_alerts(o);
    read_sources(o);
    read_self(o.object("self"));
    if (booked_) snapshot_.booked = std::make_shared<const Booked>(std::move(*booked_));
    if (!too_many_.empty()) return fail(Errc::invalid_argument, too_many_);
    return std::move(snapshot_);
  }

 private:
  static std::string other_schema(const std::string& schema) {
    if (schema.empty()) return "is no snapshot of gpukeeper";
    return fmt::format("is of schema {}, and this gpukeeper reads {}: one of the two is older, use the same release",
                       harmless(fit(schema, 60)), kSnapshotSchema);
  }

  const Json& some(const JsonObject& o, std::string_view name, std::size_t most) {
    static const Json kNone = Json::array();
    const Json& list = o.list(name);
    if (list.size() <= most) return list;
    if (too_many_.empty())
      too_many_ = fmt::format("lists {} {}, more than the {} that can be", list.size(), name, most);
    return kNone;
  }

  void read_book(const JsonObject& o) {
    const Json* book = o.find("book");
    if (book == nullptr || !book->is_object()) return;
    booked_.emplace();
    booked_->closed = JsonObject(*book).text("closed");
  }

  void read_alerts(const JsonObject& o) {
    AlertList alerts;
    for (const Json& each : some(o, "alerts", kMostAlerts)) alerts.push_back(alert_from(each));
    snapshot_.alerts = std::make_shared<const AlertList>(std::move(alerts));
  }

  void read_sources(const JsonObject& o) {
    for (const Json& each : some(o, "sources", kMostSources)) {
      const JsonObject source(each);
      snapshot_.sources.push_back(
          {source.text("name"), source.flag("available"), source.text("message"), source.small("devices").value_or(0)});
    }
    for (const Json& each : some(o, "event_sources", kMostSources)) {
      const JsonObject source(each);
      snapshot_.event_sources.push_back({source.text("name"), source.flag("available"), source.text("message")});
    }
  }

  void read_self(const JsonObject& self) {
    constexpr double kMostSeconds = 1e9;  // as nanoseconds well inside 63 bits
    const auto time = [&](std::string_view name) {
      return std::chrono::nanoseconds(std::llround(std::clamp(self.number(name).value_or(0), 0.0, kMostSeconds) * 1e9));
    };
    snapshot_.self.cpu = time("cpu_seconds");
    snapshot_.self.resident = Bytes(self.whole("resident_bytes").value_or(0));
    snapshot_.self.driver = {self.whole("driver_calls").value_or(0), time("driver_seconds")};
  }

  DeviceSnapshot device_from(const Json& json, const DeviceSnapshot* parent) {
    const JsonObject o(json);
    const JsonMetrics metrics(o.object("metrics"), o.object("missing"));
    DeviceSnapshot d;
    d.index = o.small("index").value_or(0);
    if (parent != nullptr) d.parent_index = parent->index;
    d.device = std::make_shared<const Device>(facts_from(o, metrics, parent));
    d.reading = reading_from(o, metrics);
    d.read_at = o.time("read_at");
    d.available = o.flag("available");
    d.state = word_of(kStates, o.text("state"), State::unavailable);
    d.throttling = throttling_from(o.object("throttling"));
    d.lamp = word_of(kLamps, o.text("lamp"), Lamp::off);
    d.reason = o.text("reason");
    d.processes_reason = o.text("processes_reason");
    std::vector<GpuProcess> processes;
    for (const Json& each : some(o, "processes", kMostProcesses)) processes.push_back(process_from(each));
    d.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
    if (const Json* booking = o.find("booking"); booking != nullptr && booking->is_object() && booked_) {
      booked_->devices.push_back(booking_from(d.device->id, *booking));
    }
    if (parent != nullptr) return d;  // partitions have none of their own
    for (const Json& each : some(o, "partitions", kMostDevices)) d.partitions.push_back(device_from(each, &d));
    return d;
  }

  static Device facts_from(const JsonObject& o, const JsonMetrics& metrics, const DeviceSnapshot* parent) {
    Device device;
    device.id.text = o.text("uuid");
    device.vendor = word_of(kVendors, o.text("vendor"), Vendor::other);
    device.name = o.text("name");
    device.source = o.text("source");
    device.simulated = o.flag("simulated");
    device.recorded = o.flag("recorded");
    device.pci = PciAddress::parse(o.text("pci_address"));
    if (parent != nullptr) device.parent = parent->device->id;
    device.partition = o.text_or_nothing("partition");
    metrics.read(device);
    return device;
  }

  Reading reading_from(const JsonObject& o, const JsonMetrics& metrics) {
    Reading reading{Missing::not_supported};
    const auto word = o.text("attention");
    for (const auto& [attention, name] : kAttentions) {
      if (word == name) reading.attention = attention;
    }
    metrics.read(reading);
    for (const Json& each : some(o, "sensors", kMostSensors)) {
      const JsonObject sensor(each);
      const double value = sensor.number("value").value_or(std::nan(""));  // null is what no number was
      reading.sensors.push_back({sensor.text("name"), sensor.text("unit"), value});
    }
    return reading;
  }

  Throttling throttling_from(const JsonObject& o) {
    const auto speed = [](const JsonObject& each) {
      return std::clamp(each.number("speed_multiplier").value_or(1), 0.0, 1.0);
    };
    Throttling throttling{.state = word_of(kStates, o.text("state"), State::unavailable),
                          .state_since = o.time("state_since").value_or(WallTime{}),
                          .speed_multiplier = speed(o),
                          .requests = {},
                          .thresholds = thresholds_from(o.object("thresholds"))};
    for (const Json& each : some(o, "requests", kMostRequests)) {
      const JsonObject request(each);
      ThrottleRequest result{.cause = word_of(kCauses, request.text("cause"), ThrottleCause::operator_request),
                             .multiplier = speed(request),
                             .reason = request.text("reason"),
                             .since = request.time("since").value_or(WallTime{}),
                             .until = std::nullopt};
      if (const auto until = request.time("until")) result.until = snapshot_.monotonic + (*until - snapshot_.taken_at);
      throttling.requests.push_back(std::move(result));
    }
    return throttling;
  }

  static GovernorThresholds thresholds_from(const JsonObject& o) {
    GovernorThresholds t;
    const auto read = [&]<class Unit>(std::string_view name, Unit& border) {
      if (const auto value = o.number(name)) border = Unit(std::clamp(*value, -1000.0, 1000.0));
    };
    read("temp_optimal", t.temp_optimal);
    read("temp_normal", t.temp_normal);
    read("temp_throttle", t.temp_throttle);
    read("temp_critical", t.temp_critical);
    read("memory_optimal", t.memory_optimal);
    read("memory_normal", t.memory_normal);
    read("memory_critical", t.memory_critical);
    return t;
  }

  static BookedDevice booking_from(const DeviceId& id, const Json& json) {
    const JsonObject o(json);
    const JsonMetrics metrics(json);
    const auto bytes = [&](std::string_view name) { return Bytes(o.whole(name).value_or(0)); };
    return {.id = id,
            .capacity = metrics.bytes("capacity_bytes"),
            .available = metrics.bytes("available_bytes"),
            .unmanaged = metrics.bytes("unmanaged_bytes"),
            .booked = bytes("booked_bytes"),
            .charged = bytes("charged_bytes"),
            .draining = bytes("draining_bytes"),
            .leaked = bytes("leaked_bytes"),
            .leases = o.small("leases").value_or(0),
            .ours = {},
            .foreign = {}};
  }

  const Json& document_;
  Snapshot snapshot_;
  std::optional<Booked> booked_;
  std::string too_many_;  // the first of such lists, as the end of a sentence
};

Result<Snapshot> snapshot_from(const Json& document) {
  if (!document.is_object()) return fail(Errc::invalid_argument, "is no JSON object, or has one that is too large");
  return Reader(document).read();
}

}  // namespace

Result<Snapshot> parse_snapshot(std::string_view json) {
  return snapshot_from(parse_bounded(json));
}

Result<Snapshot> parse_snapshot_event(std::string_view json) {
  const Json event = parse_bounded(json);
  const Json* payload = JsonObject(event).find("payload");
  return snapshot_from(payload == nullptr ? Json() : *payload);
}

}  // namespace gpukeeper
