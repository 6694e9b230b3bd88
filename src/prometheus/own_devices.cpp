#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "prometheus/metric_names.hpp"
#include "prometheus/own_parts.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

void add_number(Exposition& out, const DeviceMetric& metric, const std::string& labels, const MetricValue& value) {
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
    out.add(labels, *whole);  // only counts and bytes are whole, whose unit is the base
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.add(labels, *number * metric.multiply / metric.divide);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out.add(labels, *flag ? 1U : 0U);
  }
}

struct Reason {
  Throttle bit;
  std::string label;  // reason="software_power_cap"
};

// Every reason for low clocks that there is a word for.
const std::vector<Reason>& reasons() {
  static const std::vector<Reason> all = [] {
    std::vector<Reason> result;
    for (std::uint32_t i = 0; i < 32; ++i) {
      const auto bit = static_cast<Throttle>(1U << i);
      const auto words = ThrottleReasons(bit).words();
      if (words.empty()) continue;
      std::string word(words.front());
      std::ranges::replace_if(
          word, [](char c) { return c == ' ' || c == '-'; }, '_');
      result.push_back({bit, plain_label("reason", word)});
    }
    return result;
  }();
  return all;
}

void add_reasons(Exposition& out, Devices devices) {
  static const Family kReason("gpukeeper_throttle_reason", gauge, "",
                              "Whether this keeps the clocks lower than they could be.");
  out.begin(kReason);
  for (const LabelledDevice& device : devices) {
    const auto& held = device->reading.throttle_reasons;
    if (!held) continue;
    for (const Reason& reason : reasons()) out.add(device.labels, reason.label, held->has(reason.bit) ? 1U : 0U);
  }
}

void add_metric(Exposition& out, const DeviceMetric& metric, Devices devices) {
  if (metric.form == DeviceMetric::Form::fact) return;
  if (metric.form == DeviceMetric::Form::reasons) return add_reasons(out, devices);
  out.begin(metric.family);
  for (const LabelledDevice& device : devices) {
    const auto value = metric.row->value(*device->device, device->reading);
    if (!value) continue;
    if (metric.form == DeviceMetric::Form::text) {
      out.add(device.labels, label(metric.row->name, to_string(*value)), 1U);
    } else {
      add_number(out, metric, device.labels, *value);
    }
  }
}

// One set of labels for all: what is not known is empty.
std::string facts_of(const LabelledDevice& each) {
  const Device& device = *each->device;
  std::string labels;
  add_label(labels, "vendor", to_string(device.vendor));
  add_label(labels, "name", device.name);
  add_label(labels, "partition", device.partition.value_or(""));
  add_label(labels, "source", device.source);
  add_label(labels, "simulated", device.simulated ? "true" : "false");
  add_label(labels, "recorded", device.recorded ? "true" : "false");
  for (const DeviceMetric& metric : device_metrics()) {
    if (metric.form != DeviceMetric::Form::fact) continue;
    const auto value = metric.row->value(device, each->reading);
    add_label(labels, metric.row->name, value ? to_string(*value) : "");
  }
  return labels;
}

void add_words(Exposition& out, std::string_view labels, std::span<const std::string> words, std::size_t which) {
  for (std::size_t i = 0; i < words.size(); ++i) out.add(labels, words[i], i == which ? 1U : 0U);
}

const std::array<std::string, 5>& state_labels() {
  static const std::array<std::string, 5> labels = [] {
    std::array<std::string, 5> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = plain_label("state", to_string(static_cast<State>(i)));
    }
    return result;
  }();
  return labels;
}

constexpr ThrottleCause kCauses[] = {
    ThrottleCause::thermal,          ThrottleCause::power,
    ThrottleCause::memory,           ThrottleCause::load,
    ThrottleCause::operator_request, ThrottleCause::foreign_application,
    ThrottleCause::missing_sensor,
};

const std::vector<std::string>& cause_labels() {
  static const std::vector<std::string> labels = [] {
    std::vector<std::string> result;
    for (const ThrottleCause cause : kCauses) result.push_back(plain_label("cause", to_string(cause)));
    return result;
  }();
  return labels;
}

}  // namespace

void write_devices(Exposition& out, Devices devices) {
  static const Family kInfo("gpukeeper_gpu_info", info, "",
                            "A GPU, or a partition of one: who it is, what drives it, whether it is real.");
  static const Family kAvailable("gpukeeper_gpu_available", gauge, "",
                                 "Whether it was read as it is now: 0 when it is lost, hangs or sleeps.");
  out.begin(kInfo);
  for (const LabelledDevice& device : devices) out.add(device.labels, facts_of(device), 1U);
  out.begin(kAvailable);
  for (const LabelledDevice& device : devices) out.add(device.labels, device->available ? 1U : 0U);
  for (const DeviceMetric& metric : device_metrics()) add_metric(out, metric, devices);
}

void write_states(Exposition& out, Devices devices) {
  static const Family kState("gpukeeper_state", gauge, "",
                             "The governed state: 1 for the one it is in. The governor looks at whole GPUs only.");
  static const Family kCause("gpukeeper_throttle_cause", gauge, "",
                             "Whether this asks work on the GPU to slow down; see gpukeeper_speed_multiplier.");
  out.begin(kState);
  for (const LabelledDevice& device : devices) {
    if (device.place.parent) continue;
    add_words(out, device.labels, state_labels(), static_cast<std::size_t>(device->throttling.state));
  }
  out.begin(kCause);
  for (const LabelledDevice& device : devices) {
    if (device.place.parent) continue;
    for (std::size_t i = 0; i < std::size(kCauses); ++i) {
      const bool asks = std::ranges::find(device->throttling.requests, kCauses[i], &ThrottleRequest::cause) !=
                        device->throttling.requests.end();
      out.add(device.labels, cause_labels()[i], asks ? 1U : 0U);
    }
  }
}

}  // namespace gpukeeper::prometheus
