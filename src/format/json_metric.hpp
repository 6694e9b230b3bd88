#pragma once

#include <algorithm>
#include <string_view>

#include "core/units.hpp"
#include "device/metric.hpp"
#include "device/metric_fields.hpp"
#include "device/metric_json.hpp"
#include "format/json_object.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

inline constexpr Missing kReasons[] = {Missing::not_supported, Missing::not_permitted, Missing::not_yet_read,
                                       Missing::asleep, Missing::failed};

/// Reads values that stand in a document as they are, or as null with the reason under the same name in `missing`.
class JsonMetrics {
 public:
  JsonMetrics(JsonObject values, JsonObject missing) : values_(values), missing_(missing) {}
  /// An object that has its own `missing`.
  explicit JsonMetrics(const Json& json) : JsonMetrics(JsonObject(json), JsonObject(json).object("missing")) {}

  /// What the writer does not know of, as an older one may not, it does not support.
  Missing reason(std::string_view name) const { return word_of(kReasons, missing_.text(name), Missing::not_supported); }
  /// Null when it is absent.
  const Json* value(std::string_view name) const {
    const Json* found = values_.find(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }
  /// `known`: what the document says of it; nothing where that is no such value.
  template <class T>
  Metric<T> metric(std::string_view name, std::optional<T> known) const {
    if (known) return std::move(*known);
    return missing(value(name) == nullptr ? reason(name) : Missing::failed);
  }
  Metric<std::string> text(std::string_view name) const { return metric(name, values_.text_or_nothing(name)); }
  Metric<std::uint32_t> small(std::string_view name) const { return metric(name, values_.small(name)); }
  Metric<Bytes> bytes(std::string_view name) const {
    const auto bytes = values_.whole(name);
    return metric(name, bytes ? std::optional(Bytes(*bytes)) : std::nullopt);
  }
  Metric<Percent> percent(std::string_view name, double most = 100) const {
    const auto share = values_.number(name);
    return metric(name, share ? std::optional(Percent(std::clamp(*share, 0.0, most))) : std::nullopt);
  }
  /// All that a reading can have.
  void read(Reading& reading) const {
    for (const MetricField& field : metric_fields()) field.set(reading, field_value(field));
  }
  /// The facts of a device that can be absent.
  void read(Device& device) const {
    for (const FactField& field : fact_fields()) field.set(device, field_value(field));
  }

 private:
  template <class Field>
  Metric<MetricValue> field_value(const Field& field) const {
    const Json* found = value(field.name);
    if (found == nullptr) return missing(reason(field.name));
    const auto known = metric_value_from(field.kind, *found);
    return known ? Metric<MetricValue>(*known) : missing(Missing::failed);
  }

  JsonObject values_;
  JsonObject missing_;
};

}  // namespace gpukeeper
