#include "format/history_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/nearest.hpp"
#include "format/bounded_json.hpp"
#include "format/columns.hpp"
#include "format/columns_text.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"
#include "format/past_view.hpp"

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view kName = "gpukeeper.history/1";

Result<std::vector<const MetricRow*>> chosen_metrics(const HistoryQuery& query) {
  std::vector<const MetricRow*> rows;
  for (const std::string& name : query.metrics) {
    const MetricRow* row = find_metric(name);
    if (!row) {
      std::vector<std::string_view> known;
      for (const MetricRow& each : metric_table()) known.push_back(each.name);
      const auto meant = nearest(name, known);
      return fail(Errc::invalid_argument, fmt::format("there is no metric '{}': {}", harmless(name),
                                                      meant.empty() ? std::string("gpukeeper metrics lists them")
                                                                    : fmt::format("did you mean {}?", meant)));
    }
    rows.push_back(row);
  }
  return rows;
}

// A length that people count in, at or above the one given: a second, 5, 10, 30, a minute, …
nanoseconds round_length(nanoseconds length) {
  constexpr std::array<long, 14> kSteps = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200};
  for (const long step : kSteps) {
    if (seconds(step) >= length) return seconds(step);
  }
  return std::chrono::ceil<std::chrono::hours>(length);
}

Json bucket_json(const HistoryView& view, std::size_t at, const std::optional<HistoryBucket>& bucket) {
  const auto number = [&](double HistoryBucket::*member) {
    return bucket ? to_json(MetricValue((*bucket).*member)) : Json();
  };
  return {{"time", rfc3339(view.start_of(at))}, {"count", bucket ? bucket->count : 0},
          {"min", number(&HistoryBucket::min)}, {"avg", number(&HistoryBucket::avg)},
          {"max", number(&HistoryBucket::max)}, {"last", number(&HistoryBucket::last)}};
}

std::optional<HistoryBucket> parse_bucket(const Json& each) {
  HistoryBucket bucket;
  each.at("count").get_to(bucket.count);
  if (bucket.count == 0) return std::nullopt;
  each.at("min").get_to(bucket.min);
  each.at("avg").get_to(bucket.avg);
  each.at("max").get_to(bucket.max);
  each.at("last").get_to(bucket.last);
  return bucket;
}

HistoryView::DevicePart parse_device(const Json& each) {
  HistoryView::DevicePart device;
  each.at("index").get_to(device.index);
  each.at("uuid").get_to(device.id);
  each.at("name").get_to(device.name);
  each.at("simulated").get_to(device.simulated);
  each.at("recorded").get_to(device.recorded);
  for (const Json& part : each.at("metrics")) {
    auto& metric = device.metrics.emplace_back();
    part.at("metric").get_to(metric.name);
    if (!part.at("unit").is_null()) part.at("unit").get_to(metric.unit);
    for (const Json& bucket : part.at("buckets")) metric.buckets.push_back(parse_bucket(bucket));
  }
  return device;
}

// The range that is asked for, by both clocks.
struct Span {
  History::Now now;
  MonotonicTime from;
  nanoseconds step{0};

  WallTime wall(MonotonicTime at) const {
    return now.wall - std::chrono::duration_cast<WallTime::duration>(now.at - at);
  }
};

Result<Span> span_of(const History& history, const HistoryQuery& query, const OlderHistory* older) {
  const auto now = history.now();
  if (!now) return fail(Errc::unavailable, "nothing was measured yet");
  auto oldest = history.facts().oldest.value_or(now->at);
  const bool reaches = query.usual_length && oldest <= now->at - *query.usual_length;
  const auto stored = older && !query.since && !reaches ? older->oldest() : std::nullopt;
  if (stored && *stored < now->wall) oldest = std::min(oldest, now->at - (now->wall - *stored));
  MonotonicTime from = query.usual_length ? std::max(oldest, now->at - *query.usual_length) : oldest;
  if (query.since) {
    if (*query.since >= now->wall) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} is not in the past: it is {} there", rfc3339(*query.since), rfc3339(now->wall)));
    }
    from = now->at - std::chrono::duration_cast<nanoseconds>(now->wall - *query.since);
  }
  if (query.step && *query.step < std::chrono::milliseconds(1)) {
    return fail(Errc::invalid_argument, "the step must be a millisecond or longer");
  }
  Span span{*now, from, nanoseconds(0)};
  const nanoseconds length = now->at - from + seconds(1);  // what was measured just now belongs to it
  span.step = query.step.value_or(
      round_length(length / static_cast<std::int64_t>(std::max<std::size_t>(query.usual_buckets, 1))));
  return span;
}

// From reading to reading, in whole seconds: what is cut into shorter pieces has holes that are none. All metrics of
// all devices are read together, so that the first that was measured speaks for all.
nanoseconds pace_of(const History& history, const std::vector<Place>& devices,
                    const std::vector<const MetricRow*>& rows, const Span& span) {
  const auto lately = std::max(span.from, span.now.at - std::chrono::hours(1));
  for (const Place& place : devices) {
    for (const MetricRow* row : rows) {
      const auto values = history.values(place.device->device->id, row->name, lately);
      if (values && values->size() > 2) return std::chrono::ceil<seconds>(gpukeeper::pace_of(*values));
    }
  }
  return nanoseconds::zero();
}

// The first of the values that stand in the buckets.
std::optional<MonotonicTime> first_known(const History& history, const Span& span,
                                         const HistoryView::DevicePart& device) {
  std::optional<MonotonicTime> first;
  for (const auto& metric : device.metrics) {
    const auto filled = std::ranges::find_if(metric.buckets, [](const auto& bucket) { return bucket.has_value(); });
    if (filled == metric.buckets.end()) continue;
    const MonotonicTime begin = span.from + span.step * (filled - metric.buckets.begin());
    const auto values = history.values(DeviceId{device.id}, metric.name, begin, begin + span.step);
    if (values && !values->empty()) first = std::min(first.value_or(MonotonicTime::max()), values->front().at);
  }
  return first;
}

bool is_empty(const HistoryView::MetricPart& metric) {
  return std::ranges::none_of(metric.buckets, [](const auto& bucket) { return bucket.has_value(); });
}

// What was measured before the history in memory begins, or when that reached no further back.
Result<void> add_older(const OlderHistory& older, const History& history, const Span& span, HistoryView& view,
                       HistoryView::DevicePart& device) {
  const DeviceId id{device.id};
  const auto known = first_known(history, span, device);
  const auto remembered = history.facts().oldest;
  if (known && *known < span.from + span.step && remembered && *remembered <= span.from) return {};  // it has all of it
  OlderHistory::Query query{.device = id,
                            .metrics = {},
                            .from = view.from,
                            .to = known ? span.wall(*known) : view.to,
                            .step = view.step,
                            .known = known};
  if (query.to <= query.from) return {};
  for (const auto& metric : device.metrics) query.metrics.emplace_back(metric.name);
  std::vector<std::vector<std::optional<HistoryBucket>>> found;
  for (const auto& metric : device.metrics) found.emplace_back(metric.buckets.size());
  auto read = older.read(query, [&](std::size_t metric, WallTime at, const HistoryBucket& bucket) {
    const auto place = static_cast<std::size_t>((at - view.from) / view.step);
    if (place < found[metric].size()) merge(found[metric][place], bucket);
  });
  for (std::size_t metric = 0; metric < found.size(); ++metric) {
    for (std::size_t i = 0; i < found[metric].size(); ++i) {
      auto& bucket = device.metrics[metric].buckets[i];
      if (bucket) merge(found[metric][i], *bucket);
      bucket = found[metric][i];
    }
  }
  return read;
}

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:history:1",
  "title": "gpukeeper history --json",
  "description": "What the GPUs did until now, in pieces of equal time. Members may be added; none is removed or changes its meaning within gpukeeper.history/1.",
  "type": "object",
  "required": ["schema", "host", "from", "to", "step_seconds", "incomplete", "devices"],
  "properties": {
    "schema": {"const": "gpukeeper.history/1"},
    "host": {"type": "string"},
    "from": {"$ref": "#/$defs/time"},
    "to": {"$ref": "#/$defs/time", "description": "The latest reading lies before it."},
    "step_seconds": {"type": "number", "exclusiveMinimum": 0, "description": "The length of a piece."},
    "incomplete": {"type": ["string", "null"], "description": "Why a part of what is older could not be read; null when all is there that was kept."},
    "devices": {
      "type": "array",
      "description": "GPUs and their partitions.",
      "items": {
        "type": "object",
        "required": ["index", "uuid", "name", "simulated", "recorded", "metrics"],
        "properties": {
          "index": {"type": "string", "description": "0, or 0:1 for a partition."},
          "uuid": {"type": "string", "minLength": 1},
          "name": {"type": "string"},
          "simulated": {"type": "boolean"},
          "recorded": {"type": "boolean"},
          "metrics": {"type": "array", "items": {"$ref": "#/$defs/metric"}}
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
    "value": {"type": ["number", "null"], "description": "In the metric's unit; null where there was no sample."},
    "metric": {
      "type": "object",
      "required": ["metric", "unit", "buckets"],
      "properties": {
        "metric": {"type": "string", "description": "Its name in gpukeeper metrics."},
        "unit": {"type": ["string", "null"]},
        "buckets": {
          "type": "array",
          "description": "A piece of time each, from the first to the last without a gap.",
          "items": {
            "type": "object",
            "required": ["time", "count", "min", "avg", "max", "last"],
            "properties": {
              "time": {"$ref": "#/$defs/time", "description": "Where it begins."},
              "count": {"type": "integer", "minimum": 0, "description": "Samples in it."},
              "min": {"$ref": "#/$defs/value"},
              "avg": {"$ref": "#/$defs/value"},
              "max": {"$ref": "#/$defs/value"},
              "last": {"$ref": "#/$defs/value"}
            }
          }
        }
      }
    }
  }
})json";

}  // namespace

Result<HistoryView> gather_history(const History& history, const Snapshot& snapshot, const HistoryQuery& query) {
  return gather_history(history, nullptr, snapshot, query);
}

Result<HistoryView> gather_history(const History& history, const OlderHistory* older, const Snapshot& snapshot,
                                   const HistoryQuery& query) {
  const auto chosen = select_devices(snapshot, query.devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  auto rows = chosen_metrics(query);
  if (!rows) return tl::make_unexpected(rows.error());
  const bool usual = rows->empty();
  const auto stored = history.metrics();
  if (usual) {
    for (const auto name : kUsualMetrics) {
      if (std::ranges::find(stored, name) != stored.end()) rows->push_back(find_metric(name));
    }
  }
  auto span = span_of(history, query, older);
  if (!span) return tl::make_unexpected(span.error());

  const auto devices = places(*chosen);
  if (!query.step) span->step = std::max({span->step, query.pace, pace_of(history, devices, *rows, *span)});
  const MonotonicTime to = span->now.at + std::chrono::milliseconds(1);
  const auto buckets = static_cast<double>((to - span->from) / span->step + 1) * static_cast<double>(devices.size()) *
                       static_cast<double>(rows->size());
  if (buckets > static_cast<double>(query.most_buckets)) {
    return fail(Errc::invalid_argument,
                fmt::format("that are more than {} values: take a longer step, a shorter time, fewer metrics or GPUs",
                            query.most_buckets));
  }
  HistoryView view{
      .host = snapshot.host, .from = span->wall(span->from), .to = span->wall(to), .step = span->step, .devices = {}};
  for (const Place& place : devices) {
    const Device& device = *place.device->device;
    HistoryView::DevicePart part{index_text(place), device.id.text, device.name, device.simulated, device.recorded, {}};
    for (const MetricRow* row : *rows) {
      auto range = history.range(device.id, row->name, span->from, to, span->step);
      if (!range) return tl::make_unexpected(range.error());
      part.metrics.push_back({std::string(row->name), std::string(row->unit), std::move(range->buckets)});
    }
    if (older && view.incomplete.empty()) {  // who could not be read once is not waited for again
      const auto read = add_older(*older, history, *span, view, part);
      if (!read) view.incomplete = read.error().message;
    }
    if (usual) std::erase_if(part.metrics, is_empty);  // nobody asked for it by name
    view.devices.push_back(std::move(part));
  }
  return view;
}

std::string history_json(const HistoryView& view, bool indented) {
  Json devices = Json::array();
  for (const auto& device : view.devices) {
    Json metrics = Json::array();
    for (const auto& metric : device.metrics) {
      Json buckets = Json::array();
      for (std::size_t i = 0; i < metric.buckets.size(); ++i) {
        buckets.push_back(bucket_json(view, i, metric.buckets[i]));
      }
      metrics.push_back(
          {{"metric", metric.name}, {"unit", text_or_null(metric.unit)}, {"buckets", std::move(buckets)}});
    }
    devices.push_back({{"index", device.index},
                       {"uuid", device.id},
                       {"name", device.name},
                       {"simulated", device.simulated},
                       {"recorded", device.recorded},
                       {"metrics", std::move(metrics)}});
  }
  return dump({{"schema", kName},
               {"host", view.host},
               {"from", rfc3339(view.from)},
               {"to", rfc3339(view.to)},
               {"step_seconds", std::chrono::duration<double>(view.step).count()},
               {"incomplete", text_or_null(view.incomplete)},
               {"devices", std::move(devices)}},
              indented);
}

std::string history_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

Result<HistoryView> parse_history(std::string_view text) {
  const auto other = [] {
    return fail(Errc::internal, "the daemon's history is none that this gpukeeper understands: is it another version?");
  };
  try {
    const Json document = parse_bounded(text);
    if (document.at("schema") != kName) return other();
    const auto moment = [&](const char* key) {
      return parse_rfc3339(document.at(key).get<std::string>()).value_or(WallTime{});
    };
    HistoryView view{.host = document.at("host").get<std::string>(),
                     .from = moment("from"),
                     .to = moment("to"),
                     .step = {},
                     .devices = {}};
    view.step = std::chrono::duration_cast<nanoseconds>(
        std::chrono::duration<double>(document.at("step_seconds").get<double>()));
    if (document.contains("incomplete") && !document.at("incomplete").is_null()) {
      document.at("incomplete").get_to(view.incomplete);
    }
    for (const Json& each : document.at("devices")) view.devices.push_back(parse_device(each));
    return view;
  } catch (const nlohmann::json::exception&) {
    return other();
  }
}

std::string history_csv(const HistoryView& view) {
  std::string text = "time,index,uuid,metric,count,min,avg,max,last\n";
  for (const auto& device : view.devices) {
    for (const auto& metric : device.metrics) {
      for (std::size_t i = 0; i < metric.buckets.size(); ++i) {
        const auto& bucket = metric.buckets[i];
        if (!bucket) continue;
        const auto number = [](double value) { return to_string(MetricValue(value)); };
        text += fmt::format("{},{},{},{},{},{},{},{},{}\n", rfc3339(view.start_of(i)), device.index,
                            csv_field(device.id), metric.name, bucket->count, number(bucket->min), number(bucket->avg),
                            number(bucket->max), number(bucket->last));
      }
    }
  }
  return text;
}

}  // namespace gpukeeper
