#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {

Diagnosis explain_availability(const DeviceSnapshot& device) {
  Diagnosis diagnosis;
  diagnosis.topic = Topic::availability;
  const bool ours = !device.device->simulated && !device.device->recorded;
  if (device.reading.attention == Attention::asleep) {
    diagnosis.brief = "asleep";
    diagnosis.verdict = "It sleeps: nothing uses it, it draws next to no power and its fan stands still.";
    diagnosis.evidence.emplace_back("It was not woken to be looked at.");
    if (ours) diagnosis.advice.emplace_back("To look all the same: gpukeeper why --wake. This wakes it.");
    return diagnosis;
  }
  diagnosis.tone = Tone::bad;
  diagnosis.brief = "unreadable";
  diagnosis.verdict = "Nothing can be said about it: it cannot be read.";
  if (!device.reason.empty()) diagnosis.evidence.push_back(sentence(harmless(device.reason)));
  if (!device.processes->empty()) {
    diagnosis.evidence.push_back(
        fmt::format("When it was last seen, {} used it.", counted(device.processes->size(), "process", "processes")));
  }
  if (ours) diagnosis.advice.emplace_back("gpukeeper doctor looks closer and says what to do.");
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
