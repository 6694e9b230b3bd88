#include "gpukeeper/metrics_registry.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "embed/cpp/snapshot_metrics.hpp"
#include "format/json_text.hpp"
#include "prometheus/exposition.hpp"
#include "prometheus/family_prefix.hpp"
#include "prometheus/labels.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

using prometheus::Exposition;
using prometheus::Family;
using prometheus::FamilyByPrefix;
using prometheus::FamilyType;
using prometheus::Syntax;
using Pairs = std::vector<LabelSet::Pair>;

// Prometheus' own rules for names; the colon of metrics is for rules that people write.
bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string named(std::string_view text) {
  return fmt::format("'{}'", fit(harmless(text), 60));
}

// What is wrong with names of labels; empty when nothing is. `taken`: what else stands on the line.
std::string wrong_label(std::string_view name, const Pairs& taken) {
  if (!is_name(name) || name.starts_with("__")) {
    return fmt::format("{} is no label's name: that takes letters, digits and _, no digit first, not two _ first",
                       named(name));
  }
  const bool twice = std::ranges::any_of(taken, [&](const auto& pair) { return pair.first == name; });
  return twice ? fmt::format("the label {} stands twice on a line", named(name)) : std::string();
}

std::string text_of(const Pairs& pairs) {
  std::string labels;
  for (const auto& [name, value] : pairs) prometheus::add_label(labels, name, value);
  return labels;
}

Json object_of(const Pairs& pairs) {
  Json object = Json::object();
  for (const auto& [name, value] : pairs) object[name] = value;
  return object;
}

struct Registered {
  MetricDef definition;
  std::map<Pairs, double> values;  // in an order that stays
};

}  // namespace

struct MetricsRegistry::Contents {
  mutable std::mutex mutex;  // guards all below
  std::string prefix = "entrenar";
  Pairs labels;
  std::vector<Registered> metrics;
  std::size_t series = 0;

  Registered* find(std::string_view name) {
    const auto found = std::ranges::find_if(metrics, [&](const Registered& m) { return m.definition.name == name; });
    return found == metrics.end() ? nullptr : &*found;
  }
};

MetricsRegistry::MetricsRegistry() : contents_(std::make_shared<Contents>()) {}

std::string MetricsRegistry::set_prefix(std::string_view prefix) {
  if (!is_name(prefix)) {
    return fmt::format("the prefix {} begins no metric's name: that takes letters, digits and _, no digit first",
                       named(prefix));
  }
  const std::scoped_lock lock(contents_->mutex);
  contents_->prefix = prefix;
  return {};
}

std::string MetricsRegistry::set_labels(const LabelSet& labels) {
  Pairs taken = {{"device", ""}};  // the GPUs' own
  const std::scoped_lock lock(contents_->mutex);
  for (const Registered& metric : contents_->metrics) {
    for (const std::string& name : metric.definition.labels) taken.emplace_back(name, "");
  }
  for (const auto& pair : labels.pairs()) {
    if (std::string wrong = wrong_label(pair.first, taken); !wrong.empty()) return wrong;
    taken.push_back(pair);
  }
  contents_->labels = labels.pairs();
  return {};
}

std::string MetricsRegistry::add(const MetricDef& metric) {
  if (!is_name(metric.name)) {
    return fmt::format("{} is no metric's name: that takes letters, digits and _, no digit first", named(metric.name));
  }
  const auto& of_gpus = FamilyByPrefix::rows();
  const std::scoped_lock lock(contents_->mutex);
  if (contents_->find(metric.name) ||
      std::ranges::any_of(of_gpus, [&](const auto& row) { return row.name == metric.name; })) {
    return fmt::format("there is a metric {} already", named(metric.name));
  }
  Pairs taken = contents_->labels;
  for (const std::string& name : metric.labels) {
    if (std::string wrong = wrong_label(name, taken); !wrong.empty()) return wrong;
    taken.emplace_back(name, "");
  }
  contents_->metrics.push_back({metric, {}});
  return {};
}

std::string MetricsRegistry::record(std::string_view name, double value, const LabelSet& labels) {
  const std::scoped_lock lock(contents_->mutex);
  Registered* metric = contents_->find(name);
  if (!metric) return fmt::format("there is no metric {}: register it first", named(name));
  Pairs series;  // in the order of the definition, so that two spellings are one series
  for (const std::string& known : metric->definition.labels) {
    const auto found = std::ranges::find(labels.pairs(), known, &LabelSet::Pair::first);
    if (found != labels.pairs().end()) series.push_back(*found);
  }
  if (series.size() != labels.pairs().size()) {
    return fmt::format("the metric {} takes {}, each once", named(name),
                       metric->definition.labels.empty()
                           ? std::string("no labels")
                           : fmt::format("the labels {}", fmt::join(metric->definition.labels, ", ")));
  }
  const auto known = metric->values.find(series);
  if (known == metric->values.end()) {
    if (contents_->series >= kMostSeries) {
      return fmt::format("there are {} series, which is the most: is a label's value different every time?",
                         kMostSeries);
    }
    metric->values.emplace(std::move(series), value);
    ++contents_->series;
    return {};
  }
  if (metric->definition.type == MetricDef::Type::counter && !(value >= known->second)) {
    return fmt::format("the counter {} cannot fall from {} to {}", named(name), known->second, value);
  }
  known->second = value;
  return {};
}

std::size_t MetricsRegistry::series() const {
  const std::scoped_lock lock(contents_->mutex);
  return contents_->series;
}

void MetricsRegistry::clear() {
  const std::scoped_lock lock(contents_->mutex);
  for (Registered& metric : contents_->metrics) metric.values.clear();
  contents_->series = 0;
}

std::string MetricsRegistry::text(const std::vector<GpuMetrics>& gpus) const {
  const std::scoped_lock lock(contents_->mutex);
  const std::string labels = text_of(contents_->labels);
  Exposition out(Syntax::text);
  const FamilyByPrefix of_gpus(contents_->prefix);
  of_gpus.write(out, embed::snapshot_of(gpus), labels);
  std::vector<Family> families;
  families.reserve(contents_->metrics.size());  // each must stay where it is
  for (const auto& [definition, values] : contents_->metrics) {
    families.emplace_back(fmt::format("{}_{}", contents_->prefix, definition.name),
                          definition.type == MetricDef::Type::counter ? FamilyType::counter : FamilyType::gauge, "",
                          definition.help);
    out.begin(families.back());
    for (const auto& [series, value] : values) out.add(labels, text_of(series), value);
  }
  return std::move(out).finish();
}

std::string MetricsRegistry::json(const std::vector<GpuMetrics>& gpus) const {
  const std::scoped_lock lock(contents_->mutex);
  Json document = Json::object();
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help) -> Json& {
    Json& all = document[fmt::format("{}_{}", contents_->prefix, name)];
    all = {{"type", type}, {"help", help}, {"samples", Json::array()}};
    return all["samples"];
  };
  const auto sample = [&](const Pairs& more, double value) {
    Pairs all = contents_->labels;
    all.insert(all.end(), more.begin(), more.end());
    return Json{{"labels", object_of(all)}, {"value", std::isfinite(value) ? Json(value) : Json()}};
  };
  const Snapshot snapshot = embed::snapshot_of(gpus);
  for (const auto& row : FamilyByPrefix::rows()) {
    Json& samples = family(row.name, "gauge", row.help);
    for (const DeviceSnapshot& device : snapshot.devices) {
      const auto value = row.value(device.reading);
      if (value) samples.push_back(sample({{"device", fmt::format("{}", device.index)}}, *value));
    }
  }
  for (const auto& [definition, values] : contents_->metrics) {
    Json& samples =
        family(definition.name, definition.type == MetricDef::Type::counter ? "counter" : "gauge", definition.help);
    for (const auto& [series, value] : values) samples.push_back(sample(series, value));
  }
  return dump(document, false);
}

}  // namespace v0
}  // namespace gpukeeper
