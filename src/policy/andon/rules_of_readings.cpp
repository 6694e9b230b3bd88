#include <algorithm>

#include <fmt/format.h>

#include "policy/andon/gpu_alert.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper::rules {
namespace {

// Severities of rules that have no formula of their own. What becomes critical weighs 80 at least (AlertBook).
constexpr int kInfo = 20;
constexpr int kWarning = 60;
constexpr int kLostData = 90;

int usual_severity(const Scene& scene) {
  return scene.active->rule->level == AlertLevel::info ? kInfo : kWarning;
}

// Whether a metric could be told: what sleeps has no trouble.
template <class T>
bool is_known(const Metric<T>& metric) {
  return metric.has_value() || metric.error() == Missing::asleep;
}

std::uint32_t index(const Scene& scene) {
  return scene.device->index;
}

std::uint32_t warning_border(const Scene& scene) {
  return whole(scene.limits().warning.value_or(0));
}

bool hot(const Scene& scene, std::vector<Sign>& signs, const Metric<Celsius>& metric, std::string_view what) {
  if (!metric) return is_known(metric);
  if (auto sign = against_borders(scene, metric->value())) {
    sign->severity = usual_severity(scene);
    sign->message = fmt::format("GPU {} {} is at {:.0f} °C ({:g} °C is too much)", index(scene), what, sign->value,
                                sign->threshold);
    signs.push_back(std::move(*sign));
  }
  return true;
}

bool crosses(Comparison comparison, double value, double border) {
  switch (comparison) {
    case Comparison::above: return value > border;
    case Comparison::at_least: return value >= border;
    case Comparison::below: return value < border;
    case Comparison::at_most: return value <= border;
  }
  return false;
}

// Whether the value is still within the hysteresis: it would cross a border that is this much nearer.
bool keeps(const UserRule& rule, double value, double border) {
  const bool upward = rule.comparison == Comparison::above || rule.comparison == Comparison::at_least;
  if (crosses(rule.comparison, value, border)) return true;
  return upward ? value > border - rule.clear : value < border + rule.clear;
}

// "31.0 GiB" of bytes; else the number.
std::string shown(const UserRule& rule, double value) {
  if (!rule.metric.ends_with("_bytes")) return to_string(MetricValue(value));
  return value < 0x1p30 ? fmt::format("{:.0f} MiB", value / 0x1p20) : fmt::format("{:.1f} GiB", value / 0x1p30);
}

// What stands in the braces is put in; what is not known stays as it is written.
std::string filled_in(std::string text, const Scene& scene, const Sign& sign, std::string_view process) {
  const std::pair<std::string_view, std::string> places[] = {
      {"{gpu}", fmt::format("{}", index(scene))},
      {"{name}", scene.device->device->name},
      {"{value}", shown(*scene.active->user, sign.value)},
      {"{threshold}", shown(*scene.active->user, sign.threshold)},
      {"{process}", std::string(process)},
  };
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto* place =
        std::ranges::find_if(places, [&](const auto& p) { return text.substr(at).starts_with(p.first); });
    if (text[at] == '{' && place != std::end(places)) {
      result += place->second;
      at += place->first.size();
    } else {
      result += text[at++];
    }
  }
  return result;
}

std::string usual_message(const UserRule& rule) {
  return fmt::format("GPU {{gpu}}: {}{} {{value}} {} {{threshold}}",
                     rule.process.empty() ? "" : "{process}: ", rule.metric, to_string(rule.comparison));
}

// What an operator's own rule finds in a value, of the device or of that process on it.
void judge(const Scene& scene, double value, std::string subject, std::string_view process, std::vector<Sign>& signs) {
  const UserRule& rule = *scene.active->user;
  if (!keeps(rule, value, rule.threshold)) return;
  Sign sign{.subject = std::move(subject),
            .kept = level_of(rule.severity),
            .severity = rule.severity,
            .value = value,
            .threshold = rule.threshold};
  if (crosses(rule.comparison, value, rule.threshold)) sign.reached = sign.kept;
  if (rule.critical && crosses(rule.comparison, value, *rule.critical)) {
    sign.reached = AlertLevel::critical;
    sign.threshold = *rule.critical;
  }
  if (rule.critical && keeps(rule, value, *rule.critical)) sign.kept = AlertLevel::critical;
  sign.message = filled_in(rule.message.empty() ? usual_message(rule) : rule.message, scene, sign, process);
  sign.remedy = rule.remedy;
  signs.push_back(std::move(sign));
}

}  // namespace
}  // namespace gpukeeper::rules

namespace gpukeeper {

std::string Scene::gpu() const {
  const auto& parent = device->parent_index;
  return parent ? fmt::format("{}:{}", *parent, device->index) : fmt::format("{}", device->index);
}

}  // namespace gpukeeper

namespace gpukeeper::rules {

std::optional<Sign> against_borders(const Scene& scene, double value, bool strictly) {
  const RuleLimits& limits = scene.limits();
  const AlertLevel level = scene.active->rule->level;
  const auto crossed = [&](double border) { return strictly ? value > border : value >= border; };
  Sign sign{.value = value};
  if (limits.critical && crossed(*limits.critical)) {
    sign.reached = sign.kept = AlertLevel::critical;
    sign.threshold = *limits.critical;
  } else if (crossed(*limits.warning)) {
    sign.reached = sign.kept = level;
    sign.threshold = *limits.warning;
  } else if (value > *limits.warning - limits.clear) {
    sign.kept = level;
    sign.threshold = *limits.warning;
  } else {
    return std::nullopt;
  }
  if (limits.critical && value > *limits.critical - limits.clear) sign.kept = AlertLevel::critical;
  return sign;
}

bool thermal(const Scene& scene, std::vector<Sign>& signs) {
  const auto temperature = guarding_temperature(scene.device->reading);
  if (!temperature) return is_known(temperature);
  auto sign = against_borders(scene, temperature->value());
  if (!sign) return true;
  const auto& reasons = scene.device->reading.throttle_reasons;
  if (sign->reached && reasons && reasons->has(Throttle::hardware_thermal)) {
    sign->reached = sign->kept = AlertLevel::critical;
  }
  const ThermalThrottling alert{index(scene), whole(sign->value), warning_border(scene)};
  sign->severity = alert.severity();
  sign->message = alert.message();
  signs.push_back(std::move(*sign));
  return true;
}

bool hotspot(const Scene& scene, std::vector<Sign>& signs) {
  return hot(scene, signs, scene.device->reading.temperature_hotspot, "hotspot");
}

bool memory_temperature(const Scene& scene, std::vector<Sign>& signs) {
  return hot(scene, signs, scene.device->reading.temperature_memory, "memory");
}

bool memory_pressure(const Scene& scene, std::vector<Sign>& signs) {
  const auto percent = memory_percent(scene.device->reading);
  if (!percent) return is_known(percent);
  auto sign = against_borders(scene, percent->value());
  if (!sign) return true;
  const MemoryPressure alert{index(scene), whole(sign->value), warning_border(scene)};
  sign->severity = alert.severity();
  sign->message = alert.message(scene.gpu());
  signs.push_back(std::move(*sign));
  return true;
}

bool power_limit(const Scene& scene, std::vector<Sign>& signs) {
  const Reading& r = scene.device->reading;
  if (!r.power) return is_known(r.power);
  if (!r.power_limit || !(r.power_limit->value() > 0)) return is_known(r.power_limit);
  auto sign = against_borders(scene, r.power->value() / r.power_limit->value() * 100);
  if (!sign) return true;
  const PowerLimit alert{index(scene), whole(sign->value), warning_border(scene)};
  sign->severity = alert.severity();
  sign->message = alert.message();
  signs.push_back(std::move(*sign));
  return true;
}

bool utilization_high(const Scene& scene, std::vector<Sign>& signs) {
  const auto& utilization = scene.device->reading.utilization;
  if (!utilization) return is_known(utilization);
  if (auto sign = against_borders(scene, utilization->value(), true)) {
    sign->severity = usual_severity(scene);
    sign->message = fmt::format("GPU {} is busy for more than {:g}% of the time: {:.0f}%", scene.gpu(), sign->threshold,
                                sign->value);
    signs.push_back(std::move(*sign));
  }
  return true;
}

bool ecc(const Scene& scene, std::vector<Sign>& signs) {
  const auto& errors = scene.device->reading.ecc_uncorrected_volatile;
  if (!errors) return is_known(errors);
  if (auto sign = against_borders(scene, static_cast<double>(errors->value()))) {
    sign->severity = kLostData;
    sign->message = fmt::format(
        "GPU {} has had {:.0f} memory error{} that could not be corrected since its driver was "
        "loaded",
        index(scene), sign->value, sign->value == 1 ? "" : "s");
    signs.push_back(std::move(*sign));
  }
  return true;
}

bool user(const Scene& scene, std::vector<Sign>& signs) {
  const UserRule& rule = *scene.active->user;
  if (rule.process.empty()) {
    const auto number = to_number(scene.active->metric->value(*scene.device->device, scene.device->reading));
    if (!number) return is_known(number);
    judge(scene, *number, "", "", signs);
    return true;
  }
  if (!scene.device->processes_reason.empty()) return scene.device->reading.attention != Attention::awake;
  for (const GpuProcess& process : *scene.device->processes) {
    const auto value = value_of(process, rule.metric);
    if (!value || !is_called(scene, process, rule.process)) continue;
    judge(scene, *value, fmt::format("{}", process.pid), described(scene, process), signs);
  }
  return true;
}

}  // namespace gpukeeper::rules
