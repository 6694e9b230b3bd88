#include "actuators/actuator_settings.hpp"

#include <string_view>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

void check_percent(std::vector<std::string>& wrong, std::string_view key, Percent value, double lowest) {
  if (value.value() >= lowest && value.value() <= 100) return;
  wrong.push_back(fmt::format("actuators.{}: {} is not from {} to 100 (percent)", key, value.value(), lowest));
}

void check_time(std::vector<std::string>& wrong, std::string_view key, std::chrono::nanoseconds value,
                std::chrono::seconds least, std::chrono::seconds most) {
  if (value >= least && value <= most) return;
  wrong.push_back(fmt::format("actuators.{}: {} s is not from {} to {} s", key,
                              std::chrono::duration<double>(value).count(), least.count(), most.count()));
}

}  // namespace

std::vector<std::string> check(const ActuatorSettings& settings) {
  std::vector<std::string> wrong;
  check_percent(wrong, "power_limit_lowest", settings.power_limit_lowest, 10);
  check_percent(wrong, "clocks_lowest", settings.clocks_lowest, 10);
  check_percent(wrong, "fan_slow", settings.fan_slow, 30);
  check_percent(wrong, "fan_fast", settings.fan_fast, 30);
  if (settings.fan_fast < settings.fan_slow) {
    wrong.push_back(fmt::format("actuators.fan_fast: {} is below fan_slow ({}), which is meant for less heat",
                                settings.fan_fast.value(), settings.fan_slow.value()));
  }
  // Peers on other machines abort after minutes (NCCL's watchdog waits for 8), health checks after less.
  check_time(wrong, "max_pause", settings.max_pause, 1s, 300s);
  check_time(wrong, "pause_down", settings.pause_down, 1s, 3600s);
  check_time(wrong, "pause_up", settings.pause_up, 1s, 3600s);
  if (settings.freeze && settings.freeze_cgroups.empty()) {
    wrong.push_back(
        "actuators.freeze: true without freeze_cgroups: name the control groups that may be frozen, such as "
        "/user.slice/*/training.scope");
  }
  for (const std::string& group : settings.freeze_cgroups) {
    if (group.starts_with('/') && group.find_first_not_of("/*") != std::string::npos) continue;
    wrong.push_back(
        fmt::format("actuators.freeze_cgroups: '{}' is no control group below the topmost: it begins with / "
                    "and names one or more, such as /user.slice/*/training.scope",
                    group));
  }
  return wrong;
}

}  // namespace gpukeeper
