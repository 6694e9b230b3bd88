#include "backend/sysfs/power_gate.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr auto kDefaultAutosuspendDelay = 5000ms;  // amdgpu's and the NVIDIA driver's usual setting
constexpr auto kShortestRest = 10'000ms;
constexpr auto kLongestRest = 120'000ms;  // a delay of minutes is a user's way to say "rarely"
constexpr auto kFirstPatience = 30s;
constexpr auto kMostPatience = std::chrono::seconds(10min);

}  // namespace

PowerGate::PowerGate(const Files& files, const Clock& clock, bool wake) : files_(files), clock_(clock), wake_(wake) {}

Attention PowerGate::look(const std::string& folder) {
  if (wake_) return Attention::awake;
  const auto status = files_.read(folder + "/power/runtime_status");
  const auto control = files_.read(folder + "/power/control");
  const bool managed = control && trim(*control) == "auto";
  const bool suspended = status && (trim(*status) == "suspended" || trim(*status) == "suspending");

  std::scoped_lock lock(mutex_);
  Device& device = devices_[folder];
  if (suspended) {
    device = Device{};  // rests work here: start over when it wakes
    return Attention::asleep;
  }
  if (!managed || !device.resting) {
    device.resting = false;
    return Attention::awake;
  }
  const auto now = clock_.now();
  if (now < device.rest_until) return Attention::resting;
  device.resting = false;
  device.next_rest = now + device.patience;
  device.patience = std::min(device.patience * 2, kMostPatience);
  return Attention::awake;
}

void PowerGate::note(const std::string& folder, bool in_use) {
  if (wake_) return;
  if (in_use) {
    std::scoped_lock lock(mutex_);
    Device& device = devices_[folder];
    device.resting = false;
    device.patience = kFirstPatience;
    device.next_rest = {};
    return;
  }
  const auto length = rest_length(folder);
  std::scoped_lock lock(mutex_);
  Device& device = devices_[folder];
  const auto now = clock_.now();
  if (device.resting || now < device.next_rest) return;
  device.resting = true;
  device.rest_until = now + length;
}

Reading PowerGate::withheld(const std::string& folder, Attention attention) const {
  Reading reading{attention == Attention::asleep ? Missing::asleep : Missing::not_yet_read};
  reading.attention = attention;
  reading.runtime_power_state = runtime_state(folder);
  return reading;
}

Metric<std::string> PowerGate::runtime_state(const std::string& folder) const {
  if (const auto state = files_.read(folder + "/power_state"); state && trim(*state) == "D3cold") return "D3cold";
  const auto status = files_.read(folder + "/power/runtime_status");
  if (!status) return missing(missing_from(status.error().code));
  const auto word = trim(*status);
  if (word.empty() || word == "unsupported") return missing(Missing::not_supported);
  return std::string(word);
}

std::chrono::milliseconds PowerGate::rest_length(const std::string& folder) const {
  auto delay = kDefaultAutosuspendDelay;
  if (const auto text = files_.read(folder + "/power/autosuspend_delay_ms")) {
    if (const auto value = parse_i64(*text); value && *value >= 0 && *value < 3'600'000) {
      delay = std::chrono::milliseconds(*value);
    }
  }
  return std::clamp<std::chrono::milliseconds>(2 * delay, kShortestRest, kLongestRest);
}

}  // namespace gpukeeper
