#include <fmt/format.h>

#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {
namespace {

constexpr double kNear = 5;        // degrees below the temperature at which a device slows itself down
constexpr double kHotMemory = 95;  // °C; HBM is held below 95 to 105, GDDR6X below 110

std::string below(const Reading& r, Celsius temperature) {
  if (!r.temperature_slowdown) return {};
  return fmt::format(", {:.0f} degrees below the {} from which on it slows itself down",
                     r.temperature_slowdown->value() - temperature.value(), text(*r.temperature_slowdown));
}

void judge(Diagnosis& diagnosis, const Reading& r, Celsius temperature, const Thresholds& borders) {
  const auto slowdown = r.temperature_slowdown;
  const std::string now = text(temperature);
  if (slowdown && temperature >= *slowdown) {
    diagnosis.tone = Tone::bad;
    diagnosis.brief = "too hot";
    diagnosis.verdict = fmt::format("It is too hot: {}, and from {} on it slows itself down.", now, text(*slowdown));
  } else if ((slowdown && slowdown->value() - temperature.value() <= kNear) || temperature >= borders.temp_throttle) {
    diagnosis.tone = Tone::notice;
    diagnosis.brief = "nearly too hot";
    diagnosis.verdict = fmt::format("It is nearly too hot: {}{}.", now, below(r, temperature));
  } else if (temperature >= borders.temp_normal) {
    diagnosis.verdict = fmt::format("It is hot, but within its bounds: {}{}.", now, below(r, temperature));
  } else {
    diagnosis.tone = Tone::good;
    diagnosis.verdict = fmt::format("It is not too hot: {}{}.", now, below(r, temperature));
  }
  if (diagnosis.tone < Tone::notice) return;
  diagnosis.advice = {"Give it air: clean filters and fans, and look at the chassis's fans and the air that enters."};
  if (r.temperature_shutdown) {
    diagnosis.evidence.push_back(fmt::format("At {} it shuts itself off.", text(*r.temperature_shutdown)));
  }
}

}  // namespace

Diagnosis explain_hot(const Subject& subject) {
  const Reading& r = subject.reading;
  Diagnosis diagnosis;
  diagnosis.topic = Topic::hot;
  const auto temperature = guarding_temperature(r);
  if (!temperature) {
    diagnosis.verdict = fmt::format("Its temperature is not known: {}.", describe(temperature.error()));
    return diagnosis;
  }
  judge(diagnosis, r, *temperature, subject.device.throttling.thresholds);
  if (r.temperature && r.temperature_hotspot && r.temperature_hotspot->value() - r.temperature->value() >= 1) {
    diagnosis.evidence.push_back(fmt::format("The hottest spot of the chip is at {}.", text(*r.temperature_hotspot)));
  }
  if (r.temperature_memory) {
    diagnosis.evidence.push_back(fmt::format("Its memory is at {}.", text(*r.temperature_memory)));
    if (r.temperature_memory->value() >= kHotMemory && diagnosis.tone < Tone::notice) {
      diagnosis.tone = Tone::notice;
      diagnosis.brief = "hot in its memory";
      diagnosis.verdict = fmt::format("Its memory is hot: {}. The chip itself is at {}.", text(*r.temperature_memory),
                                      text(*temperature));
      diagnosis.evidence.pop_back();
    }
  }
  if (subject.work != Work::idle && subject.work != Work::unknown) {
    diagnosis.evidence.push_back(cause_of_work(subject).alone);
  }
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
