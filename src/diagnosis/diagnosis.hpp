#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What is asked about a GPU.
enum class Topic {
  availability,  ///< why it cannot be asked anything; the answer where all others are impossible
  fan,           ///< why is the fan running?
  slow,          ///< why is it slow?
  hot,           ///< is it too hot?
  busy,          ///< who keeps it busy?
  memory,        ///< is there room in its memory?
};

std::string_view to_string(Topic topic);

/// The question in words: "Why is the fan running?"
std::string_view question(Topic topic);

/// Those that can be asked for; `availability` is answered unasked.
std::vector<std::string_view> topic_names();
/// Errors: invalid_argument, with the names that there are.
Result<Topic> parse_topic(std::string_view name);

/// How much an answer matters.
enum class Tone { good, plain, notice, bad };

std::string_view to_string(Tone tone);

/// The answer to one question about one device, in sentences for people. Each follows from the snapshot; what is likely
/// but not certain says so. Names of processes in them are harmless for a terminal, and short.
struct Diagnosis {
  Topic topic = Topic::fan;
  Tone tone = Tone::plain;
  std::string brief;  ///< after "it is": "too hot", "at its power limit"; empty where nothing is remarkable
  std::string verdict;
  std::vector<std::string> evidence;      ///< what the verdict rests on, the weightiest first
  std::vector<std::string> other_causes;  ///< what else could be, as half sentences
  std::vector<std::string> advice;        ///< what to do
};

struct DeviceDiagnosis {
  std::string index;  ///< "0", "0:1"
  std::string uuid;
  std::string name;
  bool simulated = false;
  bool recorded = false;
  std::vector<Diagnosis> answers;  ///< never empty
};

struct DiagnosisReport {
  Tone tone = Tone::plain;            ///< the gravest of all answers
  std::string summary;                ///< of all devices, in a few sentences
  std::vector<std::string> warnings;  ///< of security: suspected miners, with the rule that says so
  std::vector<DeviceDiagnosis> devices;
};

/// Answers for every device of the snapshot. Without a topic: why the fan runs and why it is slow, and where there is
/// something to say, of heat and memory. Pure: the same snapshot gives the same sentences.
DiagnosisReport diagnose(const Snapshot& snapshot, std::optional<Topic> topic = std::nullopt);

}  // namespace gpukeeper
