#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "prometheus/own_parts.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

constexpr std::array kLevels = {AlertLevel::info, AlertLevel::warning, AlertLevel::critical};
constexpr std::array kPhases = {AlertPhase::pending, AlertPhase::firing};  // what is resolved is over

// By their labels: texts that differ may be the same as labels, and a series stands only once.
using Counts = std::map<std::string, std::uint64_t>;

void add_counts(Exposition& out, const Counts& counts) {
  for (const auto& [labels, count] : counts) out.add(labels, count);
}

// gpu="" for what is not in the snapshot, and uuid="" too for the whole machine.
std::string labels_of(std::string_view device, Devices devices) {
  for (const LabelledDevice& each : devices) {
    if (each->device->id.text == device) return each.labels;
  }
  std::string labels = plain_label("gpu", "");
  add_label(labels, "uuid", device);
  return labels;
}

std::string alert_labels(const Alert& alert) {
  std::string labels = plain_label("gpu", alert.device_index ? fmt::format("{}", *alert.device_index) : "");
  add_label(labels, "uuid", alert.device ? alert.device->text : "");
  add_label(labels, "rule", alert.rule);
  add_label(labels, "level", to_string(alert.level));
  return labels;
}

}  // namespace

void write_alerts(Exposition& out, const Snapshot& snapshot) {
  static const Family kAlerts("gpukeeper_alerts", gauge, "",
                              "Alerts, silenced and acknowledged ones too, by level and phase.");
  static const Family kFiring("gpukeeper_alerts_firing", gauge, "",
                              "Alerts that fire and are not silenced, by rule and GPU.");
  std::map<std::pair<AlertLevel, AlertPhase>, std::uint64_t> sums;
  Counts firing;
  for (const Alert& alert : *snapshot.alerts) {
    ++sums[{alert.level, alert.phase}];
    if (alert.phase == AlertPhase::firing && !alert.silenced) ++firing[alert_labels(alert)];
  }
  out.begin(kAlerts);
  for (const AlertLevel level : kLevels) {
    for (const AlertPhase phase : kPhases) {
      out.add(plain_label("level", to_string(level)), plain_label("phase", to_string(phase)), sums[{level, phase}]);
    }
  }
  out.begin(kFiring);
  add_counts(out, firing);
}

void write_faults(Exposition& out, const FaultList& faults, Devices devices) {
  static const Family kFaults("gpukeeper_fault_events_total", counter, "",
                              "Faults in the fault journal by kind, each occurrence counted once, over restarts.");
  Counts counts;
  for (const FaultTotal& total : faults.totals) {
    std::string labels = labels_of(total.device.text, devices);
    add_label(labels, "kind", to_string(total.kind));
    add_label(labels, "severity", to_string(total.severity));
    counts[labels] += total.count;
  }
  out.begin(kFaults);
  add_counts(out, counts);
}

}  // namespace gpukeeper::prometheus
