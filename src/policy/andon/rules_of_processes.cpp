#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/glob.hpp"
#include "policy/andon/gpu_alert.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper::rules {
namespace {

using enum AlertLevel;

constexpr int kHoardingSeverity = 50;  // no emergency: others may want the memory
constexpr double kSure = 0.8;          // of a classification: from here on a miner is no mere suspicion

// The device whose list names the processes.
const DeviceSnapshot& listing(const Scene& scene) {
  return scene.whole ? *scene.whole : *scene.device;
}

bool is_here(const Scene& scene, const GpuProcess& process) {
  return !scene.whole || process.partition == scene.device->device->id;
}

const ProcessFacts* facts_of(const Scene& scene, const GpuProcess& process) {
  if (const auto* facts = scene.snapshot.who->find(listing(scene).device->id, process.pid)) return facts;
  return process.facts.get();
}

// Desktops hold memory day and night, and servers of models wait for questions: that is no hang.
bool waits_as_it_should(const ProcessFacts* facts) {
  return facts && (facts->classification.kind == ProcessClass::desktop ||
                   facts->classification.kind == ProcessClass::ml_inference);
}

bool holds_memory(const Scene& scene, const GpuProcess& process) {
  const bool computes = process.type.compute || process.type.mps || !process.type.graphics;
  const bool holds = process.memory ? process.memory->value() > 0 : true;
  return is_here(scene, process) && computes && holds && !waits_as_it_should(facts_of(scene, process));
}

// Much memory of this device, while nothing is done on it.
bool hoards(const Scene& scene, const GpuProcess& process) {
  const bool elsewhere = !scene.whole && process.partition.has_value();
  if (!is_here(scene, process) || elsewhere || !process.memory) return false;
  const auto total = static_cast<double>(scene.device->reading.memory_total->value());
  const double part = scene.settings.hoarding_memory.value() / 100;
  if (static_cast<double>(process.memory->value()) < std::max(1.0, part * total)) return false;
  const ProcessFacts* facts = facts_of(scene, process);
  if (facts && facts->classification.kind == ProcessClass::desktop) return false;
  return process.utilization ? process.utilization->value() <= 0 : is_idle(vitals_of(*scene.device));
}

std::optional<std::uint64_t> start_of(const ProcessFacts* facts) {
  return facts && facts->start_ticks ? std::optional(*facts->start_ticks) : std::nullopt;
}

// Whether a pid may still be the process that it was.
bool is_same(const std::optional<std::uint64_t>& before, const std::optional<std::uint64_t>& now) {
  return !before || !now || *before == *now;
}

// "4 h", "4 h 30 min": told again at the most every half hour.
std::string hours_text(double seconds) {
  const auto halves = static_cast<int>(seconds / 1800);
  if (halves < 2) return fmt::format("{:.0f} min", std::floor(seconds / 60));
  return fmt::format("{} h{}", halves / 2, halves % 2 == 0 ? "" : " 30 min");
}

std::string described(const GpuProcess& process, const ProcessFacts* facts) {
  std::string name = process.name;
  if (name.empty() && facts) name = facts->command.value_or("");
  std::string result = fmt::format("process {}", process.pid);
  if (!name.empty()) result += fmt::format(" ({})", name);
  if (facts && facts->user) result += fmt::format(" of {}", *facts->user);
  return result;
}

void find_miners(const Scene& scene) {
  DeviceMemory& memory = *scene.memory;
  memory.miners.clear();
  for (const GpuProcess& process : *scene.device->processes) {
    const ProcessFacts* facts = facts_of(scene, process);
    if (!facts || facts->classification.kind != ProcessClass::mining) continue;
    const Classification& verdict = facts->classification;
    const AlertLevel level = verdict.confidence >= kSure ? critical : warning;
    memory.miners.push_back({.subject = fmt::format("{}", process.pid),
                             .reached = level,
                             .kept = level,
                             .severity = level == critical ? 85 : 60,
                             .value = verdict.confidence,
                             .message = fmt::format("GPU {}: {} looks like a miner: {} (rule {})", scene.device->index,
                                                    described(process, facts), verdict.reason, verdict.rule)});
  }
}

bool of_host(const Scene& scene, std::vector<Sign>& signs, std::optional<Percent> load, std::string_view message) {
  if (!load) return false;
  if (auto sign = against_borders(scene, load->value(), true)) {
    sign->severity = 60;
    sign->message = fmt::format(fmt::runtime(message), sign->value);
    signs.push_back(std::move(*sign));
  }
  return true;
}

}  // namespace

std::string described(const Scene& scene, const GpuProcess& process) {
  return described(process, facts_of(scene, process));
}

bool is_called(const Scene& scene, const GpuProcess& process, std::string_view glob) {
  if (fits(glob, process.name)) return true;
  const ProcessFacts* facts = facts_of(scene, process);
  return facts && facts->command && fits(glob, *facts->command);
}

std::optional<double> value_of(const GpuProcess& process, std::string_view metric) {
  if (metric == kProcessMemory && process.memory) return static_cast<double>(process.memory->value());
  if (metric == kProcessUse && process.utilization) return process.utilization->value();
  return std::nullopt;
}

bool idle(const Scene& scene, std::vector<Sign>& signs) {
  const DeviceSnapshot& d = *scene.device;
  auto& since = scene.memory->idle_since;
  const GpuVitals vitals = vitals_of(d);
  if (!vitals.utilization || !listing(scene).processes_reason.empty()) {
    since.reset();
    return d.reading.attention != Attention::awake;
  }
  const bool held = is_idle(vitals) && std::ranges::any_of(*listing(scene).processes, [&](const GpuProcess& process) {
                      return holds_memory(scene, process);
                    });
  if (!held) {
    since.reset();
    return true;
  }
  if (!since) since = scene.snapshot.monotonic;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(scene.snapshot.monotonic - *since).count();
  const GpuIdle alert{d.index, static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX))};
  if (alert.duration_secs < *scene.limits().warning) return true;
  const int severity = std::min(alert.severity(), scene.settings.idle_severity_cap);
  signs.push_back({.reached = level_of(severity),
                   .kept = level_of(severity),
                   .severity = severity,
                   .value = static_cast<double>(alert.duration_secs),
                   .threshold = *scene.limits().warning,
                   .message = alert.message(scene.gpu())});
  return true;
}

bool hoarding(const Scene& scene, std::vector<Sign>& signs) {
  const auto& total = scene.device->reading.memory_total;
  if (!listing(scene).processes_reason.empty() || !total) return false;
  auto before = std::exchange(scene.memory->holders, {});
  for (const GpuProcess& process : *listing(scene).processes) {
    if (!hoards(scene, process)) continue;
    const auto known = before.find(process.pid);
    const auto started = start_of(facts_of(scene, process));
    const bool same = known != before.end() && is_same(known->second.start_ticks, started);
    const auto since = same ? known->second.idle_since : scene.snapshot.monotonic;
    scene.memory->holders[process.pid] = {since, started};
    const double seconds = std::chrono::duration<double>(scene.snapshot.monotonic - since).count();
    if (seconds < *scene.limits().warning) continue;
    const double bytes = static_cast<double>(process.memory->value());
    signs.push_back({.subject = fmt::format("{}", process.pid),
                     .reached = warning,
                     .kept = warning,
                     .severity = kHoardingSeverity,
                     .value = std::floor(seconds),
                     .threshold = *scene.limits().warning,
                     .message = fmt::format("GPU {}: {} has held {:.1f} GiB, {:.0f} % of the memory, for {} without "
                                            "using the GPU",
                                            scene.gpu(), described(process, facts_of(scene, process)), bytes / 0x1p30,
                                            100 * bytes / static_cast<double>(total->value()), hours_text(seconds))});
  }
  return true;
}

bool memory_leak(const Scene& scene, std::vector<Sign>& signs) {
  if (!scene.facts.leaks) return true;
  if (!scene.device->processes_reason.empty()) return false;
  for (const LeakSuspect& suspect : *scene.facts.leaks) {
    if (suspect.device != scene.device->device->id) continue;
    const auto mib = [](Bytes bytes) { return static_cast<double>(bytes.value()) / 0x1p20; };
    std::string message =
        fmt::format("GPU {}: the memory of process {}{} grows steadily, by {:.0f} MiB lately to {:.0f} MiB",
                    scene.device->index, suspect.pid, suspect.name.empty() ? "" : fmt::format(" ({})", suspect.name),
                    mib(suspect.grown), mib(suspect.now));
    if (suspect.full_in) {
      message += fmt::format("; at this pace the GPU is full in {} min",
                             std::chrono::duration_cast<std::chrono::minutes>(*suspect.full_in).count());
    }
    signs.push_back({.subject = fmt::format("{}", suspect.pid),
                     .reached = warning,
                     .kept = warning,
                     .severity = 60,
                     .value = mib(suspect.grown),
                     .message = std::move(message)});
  }
  return true;
}

bool miner(const Scene& scene, std::vector<Sign>& signs) {
  if (!scene.device->processes_reason.empty()) return false;
  DeviceMemory& memory = *scene.memory;
  if (memory.processes != scene.device->processes || memory.who != scene.snapshot.who) {
    memory.processes = scene.device->processes;
    memory.who = scene.snapshot.who;
    find_miners(scene);
  }
  signs.insert(signs.end(), memory.miners.begin(), memory.miners.end());
  return true;
}

bool host_cpu(const Scene& scene, std::vector<Sign>& signs) {
  return of_host(scene, signs, scene.facts.host.cpu, "the machine's processors are {:.0f}% busy");
}

bool host_memory(const Scene& scene, std::vector<Sign>& signs) {
  return of_host(scene, signs, scene.facts.host.memory_used, "{:.0f}% of the machine's memory is in use");
}

}  // namespace gpukeeper::rules
