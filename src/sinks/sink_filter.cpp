#include "sinks/sink_filter.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/glob.hpp"

namespace gpukeeper {
namespace {

bool fits_device(std::string_view glob, const Alert& alert) {
  if (!alert.device) return fits(glob, "machine");
  return fits(glob, alert.device->text) || (alert.device_index && fits(glob, fmt::format("{}", *alert.device_index)));
}

}  // namespace

bool is_for(const SinkSettings& sink, const Alert& alert) {
  if (alert.level < sink.min_level) return false;
  const auto of_rule = [&](const std::string& glob) { return fits(glob, alert.rule); };
  const auto of_device = [&](const std::string& glob) { return fits_device(glob, alert); };
  return (sink.rules.empty() || std::ranges::any_of(sink.rules, of_rule)) &&
         (sink.devices.empty() || std::ranges::any_of(sink.devices, of_device));
}

}  // namespace gpukeeper
