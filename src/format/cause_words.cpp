#include "format/cause_words.hpp"

#include <algorithm>
#include <utility>

namespace gpukeeper {
namespace {

// The worst first.
constexpr std::pair<Throttle, std::string_view> kCauses[] = {
    {Throttle::hardware_thermal, "hw thermal"},
    {Throttle::hardware_power_brake, "power brake"},
    {Throttle::hardware_slowdown, "hw slowdown"},
    {Throttle::prochot, "prochot"},
    {Throttle::thermal, "thermal"},
    {Throttle::thermal_memory, "hot memory"},
    {Throttle::thermal_regulator, "hot VRM"},
    {Throttle::software_thermal, "thermal"},
    {Throttle::current, "current"},
    {Throttle::voltage, "voltage"},
    {Throttle::reliability, "reliability"},
    {Throttle::software_power_cap, "power cap"},
    {Throttle::power, "power limit"},
    {Throttle::sync_boost, "sync boost"},
    {Throttle::other, "other"},
};

}  // namespace

std::vector<std::string_view> cause_words(const Reading& reading) {
  std::vector<std::string_view> words;
  if (!reading.throttle_reasons || !reading.throttle_reasons->slowed()) return words;
  for (const auto& [cause, word] : kCauses) {
    if (reading.throttle_reasons->has(cause) && std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  return words;
}

}  // namespace gpukeeper
