#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {
namespace {

// Boards that stop their fans start them again at 50 to 60 °C; from here on a fan that stands still is no silence mode.
// The alert fan_stopped warns from the same temperature on.
constexpr double kFanMustTurn = 70;
constexpr double kCool = 60;
constexpr double kFast = 80;  // percent

bool turns(const Reading& r) {
  if (r.fan_speed) return r.fan_speed->value() > 0;
  return r.fan && r.fan->value() > 0;
}

// Whether the board itself says that it is too hot.
bool brakes_for_heat(const Reading& r) {
  if (!r.throttle_reasons) return false;
  using enum Throttle;
  constexpr std::array kHeat = {software_thermal, hardware_thermal,  thermal,
                                thermal_memory,   thermal_regulator, prochot};
  return std::ranges::any_of(kHeat, [&](Throttle reason) { return r.throttle_reasons->has(reason); });
}

bool is_reported(const Reading& r) {
  return r.fan || r.fan_speed;
}

std::string speed_text(const Reading& r) {
  if (r.fan && r.fan_speed && r.fan_speed->value() > 0) {
    return fmt::format("{} of its speed ({} rpm)", text(*r.fan), r.fan_speed->value());
  }
  if (r.fan) return fmt::format("{} of its speed", text(*r.fan));
  return fmt::format("{} rpm", r.fan_speed->value());
}

void take(Diagnosis& diagnosis, Cause cause) {
  diagnosis.evidence = std::move(cause.evidence);
  diagnosis.other_causes = std::move(cause.others);
  diagnosis.advice = std::move(cause.advice);
}

Diagnosis turning(const Subject& subject) {
  const Reading& r = subject.reading;
  Diagnosis diagnosis;
  Cause cause = cause_of_work(subject);
  diagnosis.verdict = fmt::format("The fan turns at {}, {}.", speed_text(r), cause.because);
  take(diagnosis, std::move(cause));
  if (auto heat = heat_sentence(r); !heat.empty())
    diagnosis.evidence.insert(diagnosis.evidence.begin(), std::move(heat));
  const auto temperature = guarding_temperature(r);
  if (r.fan && r.fan->value() >= kFast && temperature && temperature->value() < kCool && subject.work == Work::idle) {
    diagnosis.tone = Tone::notice;
    diagnosis.verdict = fmt::format(
        "The fan turns at {} though the GPU is at {} and idle: most likely somebody set that "
        "speed by hand.",
        speed_text(r), text(*temperature));
    diagnosis.other_causes = {"a part of the board that is hotter than what its sensors tell",
                              "a fault of the fan's control"};
  }
  return diagnosis;
}

Diagnosis standing(const Subject& subject) {
  const Reading& r = subject.reading;
  const auto temperature = guarding_temperature(r);
  Diagnosis diagnosis;
  if (r.fan && r.fan->value() > 0 && r.fan_speed) {
    diagnosis.tone = Tone::bad;
    diagnosis.verdict = fmt::format(
        "The fan is told to turn at {} but stands still: it is most likely blocked or broken.", text(*r.fan));
    diagnosis.advice = {"Look at the fan before the GPU works again."};
  } else if (temperature && (temperature->value() >= kFanMustTurn || brakes_for_heat(r))) {
    diagnosis.tone = Tone::bad;
    diagnosis.verdict =
        fmt::format("The fan stands still although the GPU is at {}{}: it may be blocked, broken or switched off.",
                    text(*temperature), brakes_for_heat(r) ? " and slows itself down for heat" : "");
    diagnosis.advice = {"Look at the fan now, and stop the work if the temperature goes on rising."};
  } else if (temperature) {
    diagnosis.tone = Tone::good;
    diagnosis.verdict =
        fmt::format("The fan is not running: at {} the board is cool enough to do without it.", text(*temperature));
    return diagnosis;
  } else {
    diagnosis.verdict = "The fan is not running, and the GPU's temperature is not reported.";
  }
  if (auto heat = heat_sentence(r); !heat.empty()) diagnosis.evidence.push_back(std::move(heat));
  if (subject.work != Work::idle) diagnosis.evidence.push_back(cause_of_work(subject).alone);
  return diagnosis;
}

// Why there is no fan to speak of.
std::string no_fan(const Subject& subject) {
  const Reading& r = subject.reading;
  switch (r.fan.error()) {
    case Missing::not_supported:
      if (r.memory_unified && *r.memory_unified) {
        return "This GPU is part of the processor and has no fan of its own.";
      }
      return "This GPU reports no fan of its own; most likely the fans of its chassis cool it.";
    case Missing::not_permitted: return "This user may not read the fan of this GPU.";
    case Missing::not_yet_read: return "The fan has not been read yet.";
    case Missing::asleep: return "The GPU sleeps, and so does its fan.";
    case Missing::failed: break;
  }
  return "The fan cannot be read: the driver answered with an error.";
}

Diagnosis unreported(const Subject& subject) {
  Diagnosis diagnosis;
  Cause cause = cause_of_work(subject);
  const bool failed = subject.reading.fan.error() == Missing::failed;
  diagnosis.tone = failed ? Tone::notice : Tone::plain;
  diagnosis.verdict = fmt::format("{} {}", no_fan(subject), cause.alone);
  take(diagnosis, std::move(cause));
  // They explain a fan that turns without need, and no such fan is known of.
  if (subject.work == Work::idle || subject.work == Work::light) diagnosis.other_causes.clear();
  if (auto heat = heat_sentence(subject.reading); !heat.empty()) {
    diagnosis.evidence.insert(diagnosis.evidence.begin(), std::move(heat));
  }
  return diagnosis;
}

}  // namespace

Diagnosis explain_fan(const Subject& subject) {
  Diagnosis diagnosis = !is_reported(subject.reading) ? unreported(subject)
                        : turns(subject.reading)      ? turning(subject)
                                                      : standing(subject);
  diagnosis.topic = Topic::fan;
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
