#include <algorithm>
#include <unordered_map>

#include "device/metric_fields.hpp"
#include "device/metric_json.hpp"
#include "recording/json.hpp"

namespace gpukeeper::recording {
namespace {

struct Column {
  const MetricRow* row;
  const MetricField* field;
};

// Every metric that a Reading holds, in the order of the metric table.
const std::vector<Column>& columns() {
  static const std::vector<Column> all = [] {
    std::vector<Column> result;
    for (const MetricRow& row : metric_table()) {
      if (const MetricField* field = find_metric_field(row.name)) result.push_back({&row, field});
    }
    return result;
  }();
  return all;
}

const MetricField* field_of(const std::string& name) {
  static const std::unordered_map<std::string_view, const MetricField*> by_name = [] {
    std::unordered_map<std::string_view, const MetricField*> result;
    for (const Column& column : columns()) result.emplace(column.row->name, column.field);
    return result;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

constexpr std::pair<Attention, std::string_view> kAttentions[] = {
    {Attention::awake, "awake"}, {Attention::resting, "resting"}, {Attention::asleep, "asleep"}};

struct ToJson {
  std::string_view unit;
  Json operator()(double value) const { return number(value, unit); }
  Json operator()(std::uint64_t value) const { return value; }
  Json operator()(bool value) const { return value; }
  Json operator()(const std::string& value) const { return value; }
};

// A recording of a later version may know causes that this one does not.
bool is_known(FieldKind kind, const Json& json) {
  return kind != FieldKind::throttle_reasons || !json.is_string() ||
         parse_throttle_reasons(json.get_ref<const std::string&>()).has_value();
}

void read_metric(const std::string& name, const Json& json, Reading& reading, Notes& notes) {
  const MetricField* field = field_of(name);
  if (field == nullptr) return notes.unknown_metric(name);
  if (const auto reason = missing_from_json(json)) return field->set(reading, missing(*reason));
  const auto value = metric_value_from(field->kind, json);
  if (value && is_known(field->kind, json)) return field->set(reading, *value);
  notes.wrong_value(name);
}

}  // namespace

Json to_json(const Reading& reading) {
  static const Device kNone;  // no metric of a Reading asks the device
  Json metrics = Json::object();
  for (const Column& column : columns()) {
    const auto value = column.row->value(kNone, reading);
    if (value) {
      metrics[std::string(column.row->name)] = std::visit(ToJson{column.row->unit}, *value);
    } else if (value.error() != reading.otherwise) {
      metrics[std::string(column.row->name)] = {{"missing", to_string(value.error())}};
    }
  }
  Json json = {{"otherwise", to_string(reading.otherwise)}, {"metrics", std::move(metrics)}};
  if (reading.attention != Attention::awake) {
    json["attention"] =
        std::ranges::find(kAttentions, reading.attention, &std::pair<Attention, std::string_view>::first)->second;
  }
  for (const Sensor& sensor : reading.sensors) {
    json["sensors"].push_back(
        {{"name", sensor.name}, {"unit", sensor.unit}, {"value", number(sensor.value, sensor.unit)}});
  }
  return json;
}

Reading reading_from(const Json& json, Notes& notes) {
  const auto otherwise = text_member(json, "otherwise");
  Reading reading{missing_from_json({{"missing", otherwise.value_or("not_supported")}}).value()};
  const auto word = text_member(json, "attention").value_or("awake");
  const auto* attention = std::ranges::find(kAttentions, word, &std::pair<Attention, std::string_view>::second);
  if (attention != std::end(kAttentions)) reading.attention = attention->first;
  if (const Json* metrics = member(json, "metrics"); metrics != nullptr && metrics->is_object()) {
    for (const auto& [name, value] : metrics->items()) read_metric(name, value, reading, notes);
  }
  if (const Json* sensors = member(json, "sensors"); sensors != nullptr && sensors->is_array()) {
    for (const Json& sensor : *sensors) {
      const auto value = number_member(sensor, "value");
      auto name = text_member(sensor, "name");
      auto unit = text_member(sensor, "unit");
      if (value && name && unit) reading.sensors.push_back({std::move(*name), std::move(*unit), *value});
    }
  }
  return reading;
}

}  // namespace gpukeeper::recording
