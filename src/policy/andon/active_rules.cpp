#include "policy/andon/active_rules.hpp"

#include <algorithm>

#include "policy/andon/silences.hpp"

namespace gpukeeper {
namespace {

void apply(const RuleChange& change, RuleLimits& limits) {
  if (change.enabled) limits.enabled = *change.enabled;
  if (change.warning) limits.warning = change.warning;
  if (change.critical) limits.critical = change.critical;
  if (change.sustain) {
    limits.sustain = *change.sustain;
    limits.sustain_critical = std::min(limits.sustain_critical, limits.sustain);
  }
  if (change.clear) limits.clear = *change.clear;
  if (change.repeat) limits.repeat = *change.repeat;
}

template <class IsMeant>
ActiveRule active(const Rule& rule, const AndonSettings& settings, const IsMeant& is_meant) {
  ActiveRule result{.rule = &rule, .limits = rule.limits};
  for (const RuleChange& change : settings.rules) {
    if (change.rule == rule.id && is_meant(change.devices)) apply(change, result.limits);
  }
  return result;
}

ActiveRule active(const UserRule& rule) {
  return {.user = std::make_shared<const UserRule>(rule),
          .metric = find_metric(rule.metric),
          .limits = {.warning = rule.threshold,
                     .critical = rule.critical,
                     .sustain = rule.duration,
                     .sustain_critical = rule.duration,
                     .clear = rule.clear,
                     .repeat = rule.repeat}};
}

}  // namespace

std::vector<ActiveRule> rules_of_device(const AndonSettings& settings, const Device& device, std::uint32_t index) {
  const auto is_meant_here = [&](const std::vector<std::string>& globs) {
    return globs.empty() ||
           std::ranges::any_of(globs, [&](const std::string& glob) { return is_meant(glob, device, index); });
  };
  std::vector<ActiveRule> result;
  for (const Rule& rule : rule_table()) {
    if (!rule.of_device || (device.parent && !rule.of_partition)) continue;
    ActiveRule each = active(rule, settings, is_meant_here);
    if (each.limits.enabled) result.push_back(std::move(each));
  }
  if (device.parent) return result;  // an operator's own are about whole devices
  for (const UserRule& rule : settings.user_rules) {
    if (is_meant_here(rule.devices) && find_metric(rule.metric)) result.push_back(active(rule));
  }
  return result;
}

std::vector<ActiveRule> rules_of_machine(const AndonSettings& settings) {
  const auto is_for_all = [](const std::vector<std::string>& globs) { return globs.empty(); };
  std::vector<ActiveRule> result;
  for (const Rule& rule : rule_table()) {
    if (!rule.of_machine) continue;
    ActiveRule each = active(rule, settings, is_for_all);
    if (each.limits.enabled) result.push_back(std::move(each));
  }
  return result;
}

bool tells_devices_apart(const AndonSettings& settings) {
  return std::ranges::any_of(settings.rules, [](const RuleChange& change) { return !change.devices.empty(); }) ||
         std::ranges::any_of(settings.user_rules, [](const UserRule& rule) { return !rule.devices.empty(); });
}

}  // namespace gpukeeper
