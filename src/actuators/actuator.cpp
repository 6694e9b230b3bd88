#include "actuators/actuator.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::array<std::pair<ActuatorKind, std::string_view>, 4> kWords = {{
    {ActuatorKind::power_limit, "power_limit"},
    {ActuatorKind::locked_clocks, "locked_clocks"},
    {ActuatorKind::fan, "fan"},
    {ActuatorKind::freeze, "freeze"},
}};

}  // namespace

std::string_view to_string(ActuatorKind kind) {
  for (const auto& [each, word] : kWords) {
    if (each == kind) return word;
  }
  return "power_limit";
}

std::optional<ActuatorKind> parse_actuator_kind(std::string_view word) {
  for (const auto& [kind, each] : kWords) {
    if (each == word) return kind;
  }
  return std::nullopt;
}

std::string ActuatorName::to_string() const {
  return fmt::format("{} of {} ({})", gpukeeper::to_string(kind), device.text, place);
}

Result<std::string> Actuator::effective() {
  const auto now = look();
  if (!now) return tl::make_unexpected(now.error());
  return spell(*now);
}

}  // namespace gpukeeper
