#include "policy/foreign_application.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/glob.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestName = 64;  // columns; a process may call itself anything

ProcessClass kind_of(const DeviceSnapshot& device, const GpuProcess& process, const ProcessTable& who) {
  const ProcessFacts* facts = who.find(device.device->id, process.pid);
  if (!facts) facts = process.facts.get();
  return facts ? facts->classification.kind : ProcessClass::unknown;
}

}  // namespace

std::optional<std::string> foreign_application(const DeviceSnapshot& device, const ProcessTable& who,
                                               const YieldSettings& settings, const IsOurs& is_ours) {
  for (const GpuProcess& process : *device.processes) {
    const ProcessClass kind = kind_of(device, process, who);
    const bool named = std::ranges::any_of(
        settings.ours, [&](const std::string& pattern) { return fits_ignoring_case(pattern, process.name); });
    if (named || !(settings.any || settings.classes.contains(kind)) || is_ours(device, process.pid)) continue;
    return fmt::format("pid {} ({}) uses it and is not ours: {}", process.pid,
                       fit(harmless(process.name), kLongestName), to_string(kind));
  }
  return std::nullopt;
}

}  // namespace gpukeeper
