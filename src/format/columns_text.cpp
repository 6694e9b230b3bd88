#include "format/columns_text.hpp"

#include <utility>

#include "core/display_text.hpp"

namespace gpukeeper {
namespace {

// Empty for an absent value: CSV has no other sign that a reader of numbers would take.
std::string value_of(const Snapshot& snapshot, const Place& place, const ColumnKey& key) {
  if (key.identity != nullptr) return key.identity->value(snapshot, place);
  const auto value = key.metric->value(*place.device->device, place.device->reading);
  return value ? to_string(*value) : std::string();
}

std::vector<ColumnKey> all_keys() {
  std::vector<ColumnKey> keys;
  for (const IdentityRow& row : identity_table()) keys.push_back({&row, nullptr});
  for (const MetricRow& row : metric_table()) keys.push_back({nullptr, &row});
  return keys;
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_header() {
  std::string line;
  for (const ColumnKey& key : all_keys()) {
    if (!line.empty()) line += ',';
    line += key.identity != nullptr ? key.identity->name : key.metric->name;
  }
  return line + "\n";
}

std::string csv_rows(const Snapshot& snapshot) {
  const auto keys = all_keys();
  std::string text;
  for (const Place& place : places(snapshot)) {
    bool first = true;
    for (const ColumnKey& key : keys) {
      if (!std::exchange(first, false)) text += ',';
      text += csv_field(value_of(snapshot, place, key));
    }
    text += "\n";
  }
  return text;
}

std::string query_lines(const Snapshot& snapshot, std::span<const ColumnKey> keys) {
  std::string text;
  for (const DeviceSnapshot& device : snapshot.devices) {
    bool first = true;
    for (const ColumnKey& key : keys) {
      if (!std::exchange(first, false)) text += '\t';
      const std::string value = value_of(snapshot, {&device}, key);
      text += value.empty() ? "-" : harmless(value);
    }
    text += '\n';
  }
  return text;
}

}  // namespace gpukeeper
