#include "config/report.hpp"

#include "format/json_text.hpp"

namespace gpukeeper::config {
namespace {

std::string_view word(Change change) {
  return change == Change::live ? "live" : "restart";
}

Json unit(const Key& key) {
  return key.unit.empty() ? Json() : Json(key.unit);
}

}  // namespace

std::string report(const Effective& effective, const std::string& file) {
  Json keys = Json::array();
  for (const Key& key : key_table()) {
    const Origin origin = effective.origin(key.name);
    keys.push_back({{"key", key.name},
                    {"value", Json::parse(key.published(effective.settings))},
                    {"unit", unit(key)},
                    {"origin", to_string(origin.layer)},
                    {"place", text_or_null(origin.place)},
                    {"change", word(key.change)}});
  }
  return dump({{"schema", "gpukeeper.config/1"}, {"file", text_or_null(file)}, {"keys", std::move(keys)}}, true) + "\n";
}

std::string report(std::span<const Difference> differences, bool saved) {
  Json changed = Json::array();
  for (const Difference& each : differences) {
    changed.push_back({{"key", each.key->name},
                       {"from", Json::parse(each.from)},
                       {"to", Json::parse(each.to)},
                       {"unit", unit(*each.key)},
                       {"change", word(each.key->change)}});
  }
  return dump({{"schema", "gpukeeper.config.change/1"}, {"changed", std::move(changed)}, {"saved", saved}}, true) +
         "\n";
}

}  // namespace gpukeeper::config
