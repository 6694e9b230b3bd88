#include "device/throttle.hpp"

namespace gpukeeper {
namespace {

struct Row {
  Throttle reason;
  bool trouble;
  std::string_view words;
};

constexpr Row kRows[] = {
    {Throttle::idle, false, "idle"},
    {Throttle::application_clocks, false, "application clocks"},
    {Throttle::display_clocks, false, "display clocks"},
    {Throttle::sync_boost, true, "sync boost"},
    {Throttle::software_power_cap, true, "software power cap"},
    {Throttle::software_thermal, true, "software thermal slowdown"},
    {Throttle::hardware_thermal, true, "hardware thermal slowdown"},
    {Throttle::hardware_power_brake, true, "hardware power brake"},
    {Throttle::hardware_slowdown, true, "hardware slowdown"},
    {Throttle::power, true, "power limit"},
    {Throttle::current, true, "current limit"},
    {Throttle::voltage, true, "voltage limit"},
    {Throttle::thermal, true, "thermal limit"},
    {Throttle::thermal_memory, true, "memory thermal limit"},
    {Throttle::thermal_regulator, true, "voltage regulator thermal limit"},
    {Throttle::prochot, true, "external processor-hot signal"},
    {Throttle::reliability, true, "reliability voltage limit"},
    {Throttle::other, true, "other"},
};

}  // namespace

bool ThrottleReasons::slowed() const {
  for (const Row& row : kRows) {
    if (row.trouble && has(row.reason)) return true;
  }
  return false;
}

std::vector<std::string_view> ThrottleReasons::words() const {
  std::vector<std::string_view> result;
  for (const Row& row : kRows) {
    if (has(row.reason)) result.push_back(row.words);
  }
  return result;
}

std::string ThrottleReasons::to_string() const {
  if (empty()) return "none";
  std::string text;
  for (const auto word : words()) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

}  // namespace gpukeeper
