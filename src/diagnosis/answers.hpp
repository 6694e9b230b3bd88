#pragma once

#include "diagnosis/diagnosis.hpp"
#include "diagnosis/subject.hpp"

// One file a question. Each is a pure function of its subject.
namespace gpukeeper::diagnosis {

Diagnosis explain_availability(const DeviceSnapshot& device);
Diagnosis explain_fan(const Subject& subject);
Diagnosis explain_slow(const Subject& subject);
Diagnosis explain_hot(const Subject& subject);
Diagnosis explain_busy(const Subject& subject);
Diagnosis explain_memory(const Subject& subject);

/// A sentence of what makes the device work now and how warm that makes it, with what else is known of it; shared by
/// the questions for the fan, for heat and for who keeps it busy.
struct Cause {
  std::string because;  ///< "most likely because of python3 (…), which keeps the GPU 73 % busy"
  std::string alone;    ///< the same as a sentence of its own: "python3 (…) keeps the GPU 73 % busy."
  std::vector<std::string> evidence;
  std::vector<std::string> others;
  std::vector<std::string> advice;
};
Cause cause_of_work(const Subject& subject);

/// "It is at 65 °C and draws 329 W of at most 450 W."; empty when neither is known.
std::string heat_sentence(const Reading& reading);

}  // namespace gpukeeper::diagnosis
