#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper::rules {
namespace {

using namespace std::chrono_literals;
using enum AlertLevel;

// A machine that starts loads its drivers meanwhile: what was never there is no loss yet (as SnapshotWatch::kStart).
constexpr auto kStart = 60s;

bool is_mismatch(std::string_view reason) {
  if (reason.empty()) return false;
  const std::string text = to_lower(reason);
  return text.find("mismatch") != std::string::npos || text.find("different versions") != std::string::npos;
}

Sign condition(AlertLevel level, int severity, std::string message) {
  return {.reached = level, .kept = level, .severity = severity, .message = std::move(message)};
}

std::string with_reason(std::string sentence, const std::string& reason) {
  return reason.empty() ? sentence : fmt::format("{}: {}", sentence, reason);
}

struct Weight {
  AlertLevel level;
  int severity;
};

Weight weight(Severity severity) {
  switch (severity) {
    case Severity::info: return {info, 20};
    case Severity::warning: return {warning, 50};
    case Severity::error: return {warning, 70};
    case Severity::critical: return {critical, 90};
  }
  return {warning, 50};
}

// What other rules see for themselves in the readings.
bool is_seen_otherwise(const FaultRecord& fault) {
  switch (fault.kind) {
    case EventKind::xid:
    case EventKind::lost:
    case EventKind::ecc_uncorrected:
    case EventKind::row_remap:
    case EventKind::page_retirement: return true;
    case EventKind::driver: return is_mismatch(fault.detail);
    default: return false;
  }
}

// The fresh faults that `chosen` takes: one sign for each title, its count over all of them. The journal has each
// occurrence once, whoever reported it.
template <class Chosen>
bool faults(const Scene& scene, std::vector<Sign>& signs, Chosen chosen) {
  for (const auto& fault : scene.faults) {
    if (!chosen(*fault)) continue;
    const std::string subject = fault->kind == EventKind::xid ? fmt::format("{}", fault->code) : fault->title;
    const auto same = std::ranges::find(signs, subject, &Sign::subject);
    if (same != signs.end()) {
      same->value += static_cast<double>(fault->count);
      continue;
    }
    const auto [level, severity] = weight(fault->severity);
    const std::string where = scene.device ? fmt::format("GPU {}", scene.device->index) : "this machine";
    Sign sign = condition(level, severity, fmt::format("{}: {}", where, fault->title));
    sign.subject = subject;
    sign.value = static_cast<double>(fault->count);
    sign.remedy = fault->action;
    signs.push_back(std::move(sign));
  }
  for (Sign& sign : signs) {
    if (sign.value > 1) sign.message += fmt::format(" ({:.0f} times)", sign.value);
  }
  return true;
}

}  // namespace

bool gpu_lost(const Scene& scene, std::vector<Sign>& signs) {
  const DeviceSnapshot& d = *scene.device;
  if (d.available || is_mismatch(d.reason)) return true;
  const bool starting =
      !scene.memory->was_available && scene.snapshot.monotonic - *scene.memory->unavailable_since < kStart;
  if (starting) return false;
  signs.push_back(
      condition(critical, 95, with_reason(fmt::format("GPU {} cannot be read any more", d.index), d.reason)));
  return true;
}

bool driver_mismatch(const Scene& scene, std::vector<Sign>& signs) {
  const DeviceSnapshot& d = *scene.device;
  if (d.available || !is_mismatch(d.reason)) return true;
  signs.push_back(condition(critical, 90, fmt::format("GPU {}: {}", d.index, d.reason)));
  return true;
}

bool driver_mismatch_of_source(const Scene& scene, std::vector<Sign>& signs) {
  for (const SourceStatus& source : scene.snapshot.sources) {
    if (source.available || !is_mismatch(source.message)) continue;
    Sign sign = condition(critical, 90, fmt::format("{}: {}", source.name, source.message));
    sign.subject = source.name;
    signs.push_back(std::move(sign));
  }
  return true;
}

bool sampling_stalled(const Scene& scene, std::vector<Sign>& signs) {
  const DeviceSnapshot& d = *scene.device;
  if (!d.read_at || d.reading.attention != Attention::awake) return true;  // one that rests is left alone on purpose
  DeviceMemory& memory = *scene.memory;
  if (memory.read_at != d.read_at) {
    memory.read_at = d.read_at;
    memory.read_seen = scene.snapshot.monotonic;
  }
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(scene.snapshot.monotonic - memory.read_seen).count();
  if (auto sign = against_borders(scene, static_cast<double>(age))) {
    sign->severity = 60;
    sign->message =
        with_reason(fmt::format("GPU {} was not read anew for {:.0f} seconds", d.index, sign->value), d.reason);
    signs.push_back(std::move(*sign));
  }
  return true;
}

bool step_failed(const Scene& scene, std::vector<Sign>& signs) {
  if (scene.facts.trouble.empty()) return true;
  signs.push_back(condition(critical, 85, fmt::format("gpukeeper itself fails: {}", scene.facts.trouble)));
  return true;
}

bool xid(const Scene& scene, std::vector<Sign>& signs) {
  return faults(scene, signs, [](const FaultRecord& fault) { return fault.kind == EventKind::xid; });
}

bool device_fault(const Scene& scene, std::vector<Sign>& signs) {
  return faults(scene, signs, [](const FaultRecord& fault) { return !is_seen_otherwise(fault); });
}

}  // namespace gpukeeper::rules
